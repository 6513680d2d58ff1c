from django import forms

from projects.forms.claims import ClaimCheck
from projects.forms.shared import NO_PATIENTS, CareSettingsField, several, text_field
from projects.models import (
    EVIDENCE_LEVELS,
    Adoption,
    Organisation,
    PdsaCycle,
    Priority,
    Project,
    ProjectLead,
)
from projects.readings import CLAIMING_TEXTS
from psc_portal.accounts.models import User
from psc_portal.common import clock
from psc_portal.common.nhsuk import DateInputField, NhsukFormMixin
from psc_portal.content.models import Document


class ProjectTextForm(NhsukFormMixin, ClaimCheck):
    submit_label = "Save"
    claiming_texts = CLAIMING_TEXTS

    lay_summary = text_field(
        words=200, help_text=f"What it is and why it matters, in words that anyone understands. {NO_PATIENTS}"
    )
    aim = text_field(words=80, help_text="How much, by when, for whom.")
    result_in_short = forms.CharField(
        label="What changed, in one sentence",
        max_length=250,
        required=False,
        help_text="For a reader who has half a minute. Say what was seen and when, not more than the evidence carries.",
    )
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
    reuse_advice = text_field(
        words=150,
        required=False,
        label="What another place could take from it",
        help_text="Advice for whoever wants to try it elsewhere. A stopped project must have some.",
    )


class ProjectLeadForm(ProjectTextForm):
    """What a lead edits in the front end; `seen` is what the page said when it was opened."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)


class PdsaCycleForm(NhsukFormMixin, ClaimCheck):
    submit_label = "Save this cycle"
    claiming_texts = ["happened", "learned"]

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
    documents = several(Document.objects.all(), required=False, label="Documents of the library")

    field_order = ["title", "lay_summary", "aim", "priorities", "lead_organisation", "partners"]


class NewProjectForm(ProjectForm):
    result_in_short = result = what_did_not_work = reuse_advice = ends_on = documents = None
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
    reuse_advice = text_field(
        words=150,
        required=False,
        label="What another place could take from it",
        help_text="Needed when it stops: parts that worked, when it may work, or what not to try again.",
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
    role = forms.CharField(
        max_length=120,
        initial="Project lead",
        help_text="Everyone can read it, for example “Falls prevention lead”. The name is not shown.",
    )


class EndLeadForm(NhsukFormMixin, forms.Form):
    submit_label = "End"

    project_lead = forms.ModelChoiceField(ProjectLead.objects.none(), label="Person", empty_label="Choose a person")

    def __init__(self, *args, project, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["project_lead"].queryset = project.leads.filter(to_date=None).select_related("user", "project")
        self.fields["project_lead"].label_from_instance = lambda row: row.user.display_name
