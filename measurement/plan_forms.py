"""What people decide about metrics and their charts, as clean values for the actions."""

from django import forms

from measurement import actions, imports, periods
from measurement.actions import DESCRIPTION_FIELDS
from measurement.forms import LINES_IN_SENTENCE, NO_PATIENTS, READ_BY_ALL, DefinitionFields, DescriptionFields
from measurement.models import Metric, Series
from projects.models import Priority
from psc_portal.common import clock
from psc_portal.common.nhsuk import DateInputField, NhsukFormMixin
from psc_portal.common.refusals import ActionRefused

SHOWN_WITH_THE_CHART = f"It is shown with the chart. {READ_BY_ALL}"


def reason_field(label="Reason", hint=SHOWN_WITH_THE_CHART, **options):
    return forms.CharField(
        max_length=300, label=label, help_text=hint, widget=forms.Textarea(LINES_IN_SENTENCE), **options
    )


# One series ----------------------------------------------------------------------------------------------------------


class ExclusionForm(NhsukFormMixin, forms.Form):
    submit_label = "Leave this value out"

    period_start = forms.DateField(label="Period")
    reason = reason_field(hint="What was special about this period, and how you know. " + SHOWN_WITH_THE_CHART)

    def __init__(self, *args, series: Series, **kwargs):
        super().__init__(*args, **kwargs)
        frequency = series.metric.frequency
        starts = series.points.current().order_by("-period_start").values_list("period_start", flat=True)
        choices = [(start.isoformat(), periods.label(start, frequency)) for start in starts]
        self.fields["period_start"].widget = forms.Select(choices=choices)


class BaselineForm(NhsukFormMixin, forms.Form):
    submit_label = "Freeze mean and limits"

    until = DateInputField(required=False, label="Up to this day", latest=clock.today)
    points = forms.IntegerField(
        required=False,
        min_value=12,
        label="Or on the first so many values of each part",
        help_text="12 or more",
        widget=forms.NumberInput({"class": "nhsuk-input--width-3"}),
    )
    reason = reason_field()

    def __init__(self, *args, series: Series, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["until"].initial = series.metric.baseline_to


class TrajectoryForm(NhsukFormMixin, forms.Form):
    submit_label = "Draw the plan"

    rows = forms.CharField(
        label="Planned values",
        help_text="One period a line, then its value, like: April 2026, 80. Between two of them the line is straight.",
        widget=forms.Textarea({"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
    )
    reason = reason_field("Where the plan comes from")

    def __init__(self, *args, series: Series, **kwargs):
        super().__init__(*args, **kwargs)
        self.metric = series.metric

    def clean_rows(self):
        steps = []
        for number, line in enumerate(self.cleaned_data["rows"].splitlines(), start=1):
            if line.strip():
                steps.append(self._step(number, line))
        return steps

    def _step(self, number, line):
        period, _, value = (part.strip() for part in line.replace("\t", ",").replace(";", ",").partition(","))
        frequency = self.metric.frequency
        try:
            start = periods.start_of(imports.period_of(period, frequency), frequency)
            planned = imports.number_of(value)
        except ActionRefused as refusal:
            raise forms.ValidationError(f"Line {number}: {refusal}")
        if planned is None:
            raise forms.ValidationError(f"Line {number}: write the period, a comma, then its value.")
        return start, planned

    def clean(self):
        cleaned = super().clean()
        if "rows" in cleaned:
            cleaned["steps"] = cleaned.pop("rows")
        return cleaned


# One metric ----------------------------------------------------------------------------------------------------------


class TargetForm(NhsukFormMixin, forms.Form):
    submit_label = "Set the target"

    value = forms.DecimalField(
        required=False,
        max_digits=16,
        decimal_places=4,
        label="Target",
        help_text="Empty: there is no target from this date on.",
        widget=forms.TextInput({"inputmode": "decimal", "class": "nhsuk-input--width-10"}),
    )
    from_date = DateInputField(required=False, label="From", help_text="Empty only for a first target without a date.")
    set_by = forms.CharField(required=False, max_length=120, label="Who set it", help_text="A board, team or role")
    reason = reason_field("Why it changes", "Needed where there was a target before.", required=False)


class ChartForm(NhsukFormMixin, forms.Form):
    submit_label = "Draw it like this"

    chart_type = forms.ChoiceField(widget=forms.RadioSelect, label="Type of chart")
    reason = reason_field("Why it suits the data", NO_PATIENTS)

    def __init__(self, *args, metric: Metric, **kwargs):
        super().__init__(*args, **kwargs)
        possible = metric.possible_charts
        self.fields["chart_type"].choices = [choice for choice in Metric.ChartType.choices if choice[0] in possible]
        self.fields["chart_type"].initial = metric.chart_type


class DescribeForm(NhsukFormMixin, DescriptionFields):
    submit_label = "Save"
    field_order = DESCRIPTION_FIELDS


class NewDefinitionForm(DefinitionFields):
    submit_label = "Apply the new definition"

    valid_from = DateInputField(label="Applies from")
    reason = forms.CharField(
        widget=forms.Textarea(LINES_IN_SENTENCE), label="Why it changes", help_text=SHOWN_WITH_THE_CHART
    )


# Not yet measured ----------------------------------------------------------------------------------------------------


class NotYetMeasuredForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    what = forms.CharField(max_length=160, label="What is not yet measured")
    why = forms.CharField(
        widget=forms.Textarea(LINES_IN_SENTENCE), label="Why it is not measured yet", help_text=READ_BY_ALL
    )
    plan = forms.CharField(widget=forms.Textarea(LINES_IN_SENTENCE), label="What is planned")
    by_whom = forms.CharField(required=False, max_length=160, label="By whom", help_text="A role or a team, no name")
    since = DateInputField(label="Missed since", latest=clock.today, initial=clock.today)
    priority = forms.ModelChoiceField(Priority.objects.all(), required=False, empty_label="None")
    dimension = forms.ChoiceField(
        required=False, choices=[("", "None"), *Metric.Dimension.choices], label="Dimension of safety"
    )


class EndNotYetMeasuredForm(NhsukFormMixin, forms.Form):
    submit_label = "Close the entry"

    metric = forms.ModelChoiceField(
        Metric.objects.all(), required=False, empty_label="None", label="The metric that measures it now"
    )
    reason = reason_field("Or why it is given up", "", required=False)


def fields_of(form_class, row) -> dict:
    """What a form about a row starts with."""
    return {name: getattr(row, name) for name in form_class.base_fields if hasattr(row, name)}


def definition_of(metric: Metric) -> dict:
    return {name: getattr(metric.version, name) for name in actions.DEFINITION_FIELDS}
