from urllib.parse import urlencode

from django import forms

from projects.models import (
    EVIDENCE_LEVELS,
    Adoption,
    CareSetting,
    Organisation,
    PdsaCycle,
    Priority,
    Project,
    ProjectLead,
    System,
)
from psc_portal.accounts.models import User
from psc_portal.common import clock
from psc_portal.common.nhsuk import DateInputField, MaxWordsValidator, NhsukFormMixin

NO_PATIENTS = "Do not write anything that could identify a patient."


def text_field(*, words: int, **options):
    return forms.CharField(widget=forms.Textarea, validators=[MaxWordsValidator(words)], **options)


# The list of projects ------------------------------------------------------------------------------------------------
class Words(forms.CharField):
    """What someone looks for; characters that no text holds are dropped."""

    def to_python(self, value):
        return " ".join((super().to_python(value) or "").replace("\0", " ").split())


class FilterChoice(forms.ChoiceField):
    def __init__(self, *, nothing, choices=(), **options):
        self.nothing = nothing
        super().__init__(choices=[("", nothing), *choices], required=False, **options)
        self.error_messages["invalid_choice"] = (
            "{label}: there is no such choice, so it was left out. Choose one from the list."
        )


class ProjectFilters(forms.Form):
    """Filters in the address of the list. What makes no sense there gets a sentence and is left out."""

    q = Words(label="Words in the project", required=False, max_length=200)
    priority = FilterChoice(nothing="All priorities")
    stage = FilterChoice(nothing="All stages", choices=Project.Status.choices)
    setting = FilterChoice(nothing="All settings", choices=CareSetting.choices, label="Setting of care")
    organisation = FilterChoice(nothing="All organisations", label="Lead or partner organisation")
    evidence = FilterChoice(
        nothing="Any evidence",
        choices=[(str(level), f"{level} or higher: {words}") for level, words in EVIDENCE_LEVELS.items() if level],
        label="Evidence level",
    )

    def __init__(self, data, *, projects):
        super().__init__(data)
        self.projects = projects
        named = {
            "priority": Priority.objects.values_list("slug", "title"),
            "organisation": Organisation.objects.in_projects(projects).values_list("slug", "name"),
        }
        for name, choices in named.items():
            self.fields[name].choices = [("", self.fields[name].nothing), *choices]
        self.is_valid()
        self.chosen = {name: value for name, value in self.cleaned_data.items() if value}

    def show_counts(self) -> None:
        """Behind each choice, how many projects it would leave."""
        counts = self.projects.choice_counts(self.chosen)
        for name, numbers in counts.items():
            (_empty, nothing), *choices = self.fields[name].choices
            self.fields[name].choices = [
                ("", nothing),
                *[(value, f"{label} ({numbers.get(value, 0)})") for value, label in choices],
            ]

    @property
    def query(self) -> str:
        """The filters as they stand in an address."""
        return urlencode(self.chosen)


# Front end -----------------------------------------------------------------------------------------------------------
class ProjectTextForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    lay_summary = text_field(
        words=200, help_text=f"What it is and why it matters, in words that anyone understands. {NO_PATIENTS}"
    )
    aim = text_field(words=80, help_text="How much, by when, for whom.")
    result = text_field(
        words=200,
        label="What changed",
        required=False,
        help_text=(
            "Say “while”, “alongside” or “after”. Say “because of” only where the evidence is controlled: level 4 or 5."
        ),
    )
    what_did_not_work = text_field(
        words=200, required=False, help_text="What others need not try again, and why. It helps as much as what worked."
    )


class ProjectLeadForm(ProjectTextForm):
    """What a lead edits in the front end; `seen` is what the page said when it was opened."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)


class PdsaCycleForm(NhsukFormMixin, forms.Form):
    submit_label = "Save this cycle"

    title = forms.CharField(max_length=160, label="Short name of the cycle")
    starts_on = DateInputField(label="Start date", help_text="For example, 28 6 2026")
    ends_on = DateInputField(label="End date", required=False, help_text="Leave empty while it is under way.")
    plan = text_field(words=150, label="What you will try (plan)", help_text=NO_PATIENTS)
    prediction = text_field(words=100, required=False, label="What you think will happen")
    happened = text_field(words=150, required=False, label="What happened (do)")
    learned = text_field(words=150, required=False, label="What you learned (study)")
    act = forms.ChoiceField(
        choices=[("", "Not decided yet"), *PdsaCycle.Act.choices], required=False, label="What next (act)"
    )


class AdoptionForm(NhsukFormMixin, forms.Form):
    submit_label = "Record"

    organisation = forms.ModelChoiceField(Organisation.objects.none(), empty_label="Choose an organisation")
    stage = forms.ChoiceField(choices=Adoption.Stage.choices, widget=forms.RadioSelect, label="How far is it?")
    since = DateInputField(
        label="Since when?", initial=clock.today, latest=clock.today, help_text="For example, 28 6 2026"
    )
    note = text_field(words=60, required=False, help_text=f"For example which wards. {NO_PATIENTS}")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["organisation"].queryset = Organisation.objects.current()


class ClaimForm(NhsukFormMixin, forms.Form):
    submit_label = "Ask for confirmation"

    organisation = forms.ModelChoiceField(
        Organisation.objects.none(), empty_label="Choose an organisation", label="Which organisation do you belong to?"
    )
    role = forms.CharField(max_length=120, label="Your role there", help_text="For example, patient safety lead")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["organisation"].queryset = Organisation.objects.current()


# Admin ---------------------------------------------------------------------------------------------------------------
def several(queryset, **options):
    return forms.ModelMultipleChoiceField(queryset, widget=forms.CheckboxSelectMultiple, **options)


class CareSettingsField(forms.MultipleChoiceField):
    def __init__(self, **options):
        super().__init__(
            choices=CareSetting.choices, widget=forms.CheckboxSelectMultiple, label="Settings of care", **options
        )


class PriorityForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    title = forms.CharField(max_length=120)
    summary = text_field(words=60, help_text="One or two sentences in plain English")
    why_chosen = text_field(words=300, required=False)
    asked_by = text_field(words=100, required=False, label="Who asked for it")
    source = forms.CharField(max_length=300, required=False, help_text="Where it is written down")
    from_date = DateInputField(label="A priority since", initial=clock.today)
    position = forms.IntegerField(
        min_value=0, max_value=999, initial=100, help_text="The order in the list: a smaller number comes first"
    )


class RetireForm(NhsukFormMixin, forms.Form):
    submit_label = "Retire"

    to_date = DateInputField(label="Last day as a priority", initial=clock.today)


class ProjectForm(ProjectTextForm):
    """Everything that staff may say about a project."""

    title = forms.CharField(max_length=160, help_text="The address of the page comes from the first title and stays.")
    priorities = several(Priority.objects.all())
    lead_organisation = forms.ModelChoiceField(Organisation.objects.all())
    partners = several(Organisation.objects.all(), required=False, label="Partner organisations")
    care_settings = CareSettingsField(required=False)
    evidence_level = forms.TypedChoiceField(
        coerce=int, choices=[(level, f"{level}: {words}") for level, words in EVIDENCE_LEVELS.items()]
    )
    starts_on = DateInputField(label="Start date", required=False)
    ends_on = DateInputField(label="End date", required=False)

    field_order = ["title", "lay_summary", "aim", "priorities", "lead_organisation", "partners"]


class NewProjectForm(ProjectForm):
    result = what_did_not_work = ends_on = None
    submit_label = "Add the project"

    origin = forms.ChoiceField(choices=Project.Origin.choices, initial=Project.Origin.CORE)


class StageForm(NhsukFormMixin, forms.Form):
    submit_label = "Change the stage"

    stage = forms.ChoiceField(choices=(), widget=forms.RadioSelect, label="New stage")
    reason = text_field(
        words=150,
        required=False,
        label="Why it stops",
        help_text="Needed when it stops. Everyone can read it: say what the next team should know.",
    )

    def __init__(self, *args, project, **kwargs):
        super().__init__(*args, **kwargs)
        allowed = Project.TRANSITIONS[project.status]
        self.fields["stage"].choices = [(value, label) for value, label in Project.Status.choices if value in allowed]


class PersonChoice(forms.ModelChoiceField):
    def label_from_instance(self, user):
        return f"{user.display_name} ({user.email})"


class AddLeadForm(NhsukFormMixin, forms.Form):
    submit_label = "Add as project lead"

    user = PersonChoice(User.objects.filter(is_active=True), label="Person", empty_label="Choose a person")


class EndLeadForm(NhsukFormMixin, forms.Form):
    submit_label = "End"

    project_lead = forms.ModelChoiceField(ProjectLead.objects.none(), label="Person", empty_label="Choose a person")

    def __init__(self, *args, project, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["project_lead"].queryset = project.leads.filter(to_date=None).select_related("user", "project")
        self.fields["project_lead"].label_from_instance = lambda row: row.user.display_name


class SystemForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    code = forms.CharField(max_length=10, label="ODS code")
    name = forms.CharField(max_length=120)


class EditOrganisationForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    ods_code = forms.CharField(max_length=10, required=False, label="ODS code")
    short_name = forms.CharField(max_length=60, required=False)
    kind = forms.ChoiceField(choices=Organisation.Kind.choices)
    care_settings = CareSettingsField(required=False)
    system = forms.ModelChoiceField(System.objects.all(), required=False, empty_label="None")
    serves_all_systems = forms.BooleanField(required=False)
    is_outside_region = forms.BooleanField(required=False, label="Outside the region, a partner")
    postcode = forms.CharField(max_length=10, required=False)
    email_domain = forms.CharField(
        max_length=100, required=False, label="E-mail domain", help_text="What follows the @"
    )
    opened_on = DateInputField(label="Opening date", required=False)
    closed_on = DateInputField(label="Closing date", required=False)
    successor = forms.ModelChoiceField(
        Organisation.objects.all(), required=False, empty_label="None", label="Organisation that follows it"
    )


class NewOrganisationForm(EditOrganisationForm):
    name = forms.CharField(max_length=160)

    field_order = ["name"]


class RenameForm(NhsukFormMixin, forms.Form):
    submit_label = "Rename"

    name = forms.CharField(max_length=160, label="New name", help_text="The former name is kept and stays searchable.")
