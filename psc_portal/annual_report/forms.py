import datetime as dt

from crispy_forms.layout import Layout
from django import forms

from psc_portal.accounts.models import Role, User
from psc_portal.annual_report.models import AnnualReport, Section
from psc_portal.common import clock
from psc_portal.common.nhsuk import DateInputField, NhsukFormMixin

CUT_HINT = "Nothing that happened after this day is in the report"


def years_without_report() -> list[dt.date]:
    """First days of the years that can get a report: the last ten and the one we are in, newest first."""
    today = clock.today()
    newest = today.year if today >= dt.date(today.year, 4, 1) else today.year - 1
    taken = set(AnnualReport.objects.values_list("year_start", flat=True))
    return [first for year in range(newest, newest - 11, -1) if (first := dt.date(year, 4, 1)) not in taken]


class CreateReportForm(NhsukFormMixin, forms.Form):
    submit_label = "Start the report"

    year_start = forms.TypedChoiceField(label="Year", coerce=dt.date.fromisoformat)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["year_start"].choices = [
            (first.isoformat(), f"1 April {first.year} to 31 March {first.year + 1}")
            for first in years_without_report()
        ]


class ReportForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    summary = forms.CharField(
        label="Summary",
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One or two sentences for the list of reports",
    )
    data_cut_on = DateInputField(label="Data cut", help_text=CUT_HINT)


class SectionForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"
    secondary_submit = ("sign_off", "Save and sign off")

    heading = forms.CharField(label="Heading", max_length=150)
    text = forms.CharField(
        label="Text",
        required=False,
        widget=forms.Textarea(attrs={"rows": 18}),
        help_text="Markdown: leave a blank line between paragraphs, start headings with ##, list items with a hyphen. "
        "Nothing that identifies a patient.",
    )
    owner = forms.ModelChoiceField(
        label="Who writes it",
        queryset=User.objects.none(),
        required=False,
        empty_label="Nobody yet",
        help_text="They see it on their own page until it is signed off",
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    form_layout = Layout("heading", "text", "owner")

    def __init__(self, *args, section: Section, **kwargs):
        kwargs.setdefault("initial", {name: getattr(section, name) for name in ("heading", "text", "owner", "version")})
        super().__init__(*args, **kwargs)
        roles = [Role.LEAD, Role.PROGRAMME_STAFF]
        self.fields["owner"].queryset = User.objects.filter(groups__name__in=roles, is_active=True).distinct()


class FreezeForm(NhsukFormMixin, forms.Form):
    submit_label = "Freeze the report"


class PublishForm(NhsukFormMixin, forms.Form):
    submit_label = "Publish the report"


class CancelForm(NhsukFormMixin, forms.Form):
    submit_label = "Cancel the PDFs"


class RenderForm(NhsukFormMixin, forms.Form):
    submit_label = "Make the PDFs"


class ReopenForm(NhsukFormMixin, forms.Form):
    submit_label = "Open it for writing"

    reason = forms.CharField(label="Why must it be changed?", max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class CorrectionForm(NhsukFormMixin, forms.Form):
    submit_label = "Add the correction"

    text = forms.CharField(
        label="What was wrong, and what is right?", max_length=1000, widget=forms.Textarea(attrs={"rows": 5})
    )
