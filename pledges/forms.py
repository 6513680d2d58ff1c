from crispy_forms.layout import Submit
from django import forms
from django.db.models import Q
from django.utils.text import slugify

from measurement.models import Metric
from pledges import freshness
from pledges.actions import Heading
from pledges.models import (
    AREAS_MIN,
    NATIONAL_PROGRAMMES,
    PLEDGES_IN_A_SET,
    WORDS_MAX,
    WORDS_MIN,
    ImprovementArea,
    Pledge,
    ProgressUpdate,
    SignUp,
)
from pledges.plans import read_outline
from projects.models import Organisation, Priority, System
from psc_portal.common import clock
from psc_portal.common.nhs_numbers import find_nhs_numbers
from psc_portal.common.nhsuk import DateInputField, MaxWordsValidator, NhsukFormMixin, RevealRadios

OTHER = "other"
OWN_AREAS_MAX = 5


def numbers_explained_field():
    """Asked for only where a text holds what looks like an NHS number."""
    return forms.CharField(
        label="If it is not an NHS number, say what it is",
        required=False,
        max_length=300,
        help_text="For example: the telephone number of our ward. We keep your reason.",
    )


class SubmitForm(NhsukFormMixin, forms.Form):
    """The last step. Shows its one field only where a text holds what looks like an NHS number."""

    submit_label = "Submit the pledges"

    numbers_explained = numbers_explained_field()

    def __init__(self, *args, sign_up, **kwargs):
        super().__init__(*args, **kwargs)
        if not any(map(find_nhs_numbers, sign_up.texts().values())):
            del self.fields["numbers_explained"]


class WordCount(MaxWordsValidator):
    """Shows how many words are left. A draft of any length is kept, so it refuses nothing."""

    def __call__(self, text):
        return None


def public_metrics():
    return Metric.objects.filter(is_public=True).order_by("code")


class WallFilters(NhsukFormMixin, forms.Form):
    system = forms.ModelChoiceField(System.objects.all(), to_field_name="code", required=False, empty_label="All")
    kind = forms.ChoiceField(label="Kind of organisation", required=False)
    area = forms.ChoiceField(label="Improvement area", required=False)
    pledge = forms.ChoiceField(label="Progress under the pledge", required=False)
    freshness = forms.ChoiceField(
        label="How up to date", required=False, choices=[("", "All"), *freshness.LABELS.items()]
    )
    q = forms.CharField(label="Words in the statements", required=False, max_length=100)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [("", "All"), *Organisation.Kind.choices]
        areas = ImprovementArea.objects.filter(sign_up__status=SignUp.Status.PUBLISHED)
        named = areas.order_by("slug", "-pk").distinct("slug").values_list("slug", "name")
        self.fields["area"].choices = [("", "All"), *named]
        titles = Pledge.objects.filter(wording_set__sign_ups__status=SignUp.Status.PUBLISHED)
        self.fields["pledge"].choices = [
            ("", "All"),
            *((slugify(title), title) for title in dict.fromkeys(titles.values_list("title", flat=True))),
        ]

    def clean_q(self):
        return " ".join(self.cleaned_data["q"].replace("\0", " ").split())

    def narrow(self, sign_ups):
        """The sign-ups (with their last update) that fit. What is not on a list narrows nothing."""
        self.is_valid()
        values = self.cleaned_data
        lookups = {
            "organisation__system": values.get("system"),
            "organisation__kind": values.get("kind"),
            "areas__slug": values.get("area"),
        }
        sign_ups = sign_ups.filter(**{lookup: value for lookup, value in lookups.items() if value})
        if slug := values.get("pledge"):
            title = dict(self.fields["pledge"].choices)[slug]
            reported = ProgressUpdate.objects.filter(statement__pledge__title=title)
            sign_ups = sign_ups.filter(pk__in=reported.values("statement__sign_up"))
        if words := values.get("q"):
            sign_ups = sign_ups.saying(words)
        return sign_ups.fresh_as(values["freshness"]) if values.get("freshness") else sign_ups


# Signing up ----------------------------------------------------------------------------------------------------------
class OrganisationForm(NhsukFormMixin, forms.Form):
    submit_label = "Continue"

    organisation = forms.ChoiceField(
        label="Which organisation are you signing for?", widget=RevealRadios(reveals={OTHER: "other"})
    )
    other = forms.ModelChoiceField(
        Organisation.objects.current(),
        label="Name of the organisation",
        required=False,
        empty_label="Choose one",
        help_text="We check that you belong there before anything is published.",
    )
    role = forms.CharField(
        label="Your role there",
        max_length=120,
        required=False,
        help_text="For example: patient safety lead. Only needed for an organisation that is new in your account.",
    )

    def __init__(self, *args, organisations, **kwargs):
        super().__init__(*args, **kwargs)
        self.organisations = {str(organisation.pk): organisation for organisation in organisations}
        mine = [(pk, organisation.name) for pk, organisation in self.organisations.items()]
        self.fields["organisation"].choices = [*mine, (OTHER, "Another organisation")]

    def clean(self):
        values = super().clean()
        if values.get("organisation") == OTHER:
            if not values.get("other") and "other" not in self.errors:
                self.add_error("other", "Choose the organisation that you are signing for")
            if not values.get("role"):
                self.add_error("role", "Enter your role there")
        return values

    @property
    def chosen(self):
        """(organisation, whether the person has still to claim to belong there)."""
        choice = self.cleaned_data["organisation"]
        if choice != OTHER:
            return self.organisations[choice], False
        other = self.cleaned_data["other"]
        return other, str(other.pk) not in self.organisations


class StepForm(NhsukFormMixin, forms.Form):
    """One step of signing up. What is typed is kept, finished or not."""

    submit_label = "Save and continue"
    secondary_submit = ("later", "Save and come back later")

    mark = forms.CharField(widget=forms.HiddenInput, required=False, max_length=32)

    def with_mark(self, mark):
        """The same form, sent, with the mark of what is stored now: the next time it is sent, it replaces that."""
        self.data = self.data.copy()
        self.data["mark"] = mark
        return self

    def _clean_fields(self):
        """A required field may stay empty until the sign-up is submitted; only its label says that it is needed."""
        required = [field for field in self.fields.values() if field.required]
        for field in required:
            field.required = False
        super()._clean_fields()
        for field in required:
            field.required = True


class StatementForm(StepForm):
    text = forms.CharField(
        label="What will your organisation do?",
        max_length=10_000,
        validators=[WordCount(WORDS_MAX)],
        widget=forms.Textarea({"rows": "14"}),
        help_text=f"{WORDS_MIN} to {WORDS_MAX} words, in plain English. Do not write about a patient.",
    )
    find = forms.CharField(
        label="Find a metric",
        required=False,
        max_length=100,
        help_text="For example falls. Then choose “Find metrics”: the list below shows those that fit.",
    )
    metric = forms.ModelChoiceField(
        Metric.objects.none(),
        label="Metric that will show whether it works",
        required=False,
        empty_label="None",
        help_text="From our library. Its sentence and chart will stand beside your pledge.",
    )

    @property
    def helper(self):
        helper = super().helper
        helper.add_input(Submit("find_metrics", "Find metrics", css_class="nhsuk-button--secondary"))
        return helper

    def __init__(self, *args, chosen=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["metric"].queryset = public_metrics()
        words = self.data.get(self.add_prefix("find"), "").replace("\0", " ").strip()[:100]
        if words:
            found = public_metrics().filter(
                Q(pk__in=Metric.objects.matching(words).values("pk")) | Q(name__icontains=words) | Q(code__iexact=words)
            )
            kept = [self.data.get(self.add_prefix("metric")), chosen]
            self.fields["metric"].queryset = public_metrics().filter(
                Q(pk__in=found.values("pk")) | Q(pk__in=[pk for pk in kept if str(pk).isdigit()])
            )
            count = found.count()
            self.fields["metric"].help_text = f"{count} of our metrics fit{'s' if count == 1 else ''} “{words}”."


class AreasForm(StepForm):
    national = forms.MultipleChoiceField(
        label="National areas",
        widget=forms.CheckboxSelectMultiple,
        help_text=f"Choose at least {AREAS_MIN}.",
    )
    local = forms.MultipleChoiceField(
        label="Local areas", widget=forms.CheckboxSelectMultiple, help_text="Priorities of our region."
    )
    own_words = forms.CharField(
        label="Other local areas",
        required=False,
        max_length=600,
        widget=forms.Textarea({"rows": "3"}),
        help_text=f"In your own words, one on each line, at most {OWN_AREAS_MAX}. "
        f"Name at least {AREAS_MIN} local areas in all.",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.priorities = {str(priority.pk): priority for priority in Priority.objects.current()}
        must_do = [(pk, priority.title) for pk, priority in self.priorities.items() if priority.is_must_do]
        self.fields["national"].choices = [*must_do, *((name, name) for name in NATIONAL_PROGRAMMES)]
        self.fields["local"].choices = [
            (pk, priority.title) for pk, priority in self.priorities.items() if not priority.is_must_do
        ]

    @staticmethod
    def initial_of(sign_up):
        areas = list(sign_up.areas.all())
        national = [area for area in areas if area.scope == ImprovementArea.Scope.NATIONAL]
        local = [area for area in areas if area.scope == ImprovementArea.Scope.LOCAL]
        return {
            "national": [str(area.priority_id or area.name) for area in national],
            "local": [str(area.priority_id) for area in local if area.priority_id],
            "own_words": "\n".join(area.name for area in local if not area.priority_id),
        }

    def clean_own_words(self):
        names = [line.strip(" -•\t") for line in self.cleaned_data["own_words"].splitlines() if line.strip(" -•\t")]
        if len(names) > OWN_AREAS_MAX:
            raise forms.ValidationError(f"Name at most {OWN_AREAS_MAX} other areas. You have named {len(names)}.")
        if any(len(name) > 120 for name in names):
            raise forms.ValidationError("Keep each area to 120 characters or fewer")
        return names

    @property
    def values(self):
        """What `save_areas` takes."""
        chosen = self.cleaned_data["national"] + self.cleaned_data["local"]
        return {
            "priorities": [self.priorities[key] for key in chosen if key in self.priorities],
            "national": [name for name in self.cleaned_data["national"] if name in NATIONAL_PROGRAMMES],
            "own_words": self.cleaned_data["own_words"],
        }


class DriversForm(StepForm):
    aim = forms.CharField(
        label="Aim of your plan",
        max_length=600,
        widget=forms.Textarea({"rows": "3"}),
        help_text="How much, by when, for whom.",
    )
    outline = forms.CharField(
        label="What drives the aim",
        max_length=15_000,
        widget=forms.Textarea({"rows": "14", "spellcheck": "true"}),
        help_text="One on each line. Begin a secondary driver with one dash, under its primary driver, and a change "
        "idea with two dashes, under its secondary driver.",
    )

    def clean_outline(self):
        try:
            read_outline(self.cleaned_data["outline"])
        except ValueError as problem:
            raise forms.ValidationError(str(problem)) from problem
        return self.cleaned_data["outline"]


class PlanForm(StepForm):
    board_approved_on = DateInputField(
        label="Date on which the board approved the pledges",
        latest=clock.today,
        help_text="For example 28 6 2026",
    )
    plan_from = DateInputField(label="First day of the plan", help_text="For example 1 4 2026")
    plan_to = DateInputField(label="Last day of the plan", help_text="Usually three years later")
    own_page = forms.URLField(label="Your own web page about the pledges", required=False, max_length=200)


class SignatoryForm(StepForm):
    signatory_name = forms.CharField(
        label="Full name of the person who signs",
        max_length=120,
        help_text="Usually the chief executive. The name is published.",
    )
    signatory_role = forms.CharField(label="Their role", max_length=120)


class WithdrawForm(NhsukFormMixin, forms.Form):
    submit_label = "Withdraw this sign-up"

    reasons = forms.CharField(
        label="Why do you withdraw it?",
        max_length=1000,
        widget=forms.Textarea,
        help_text="For us; it is not published.",
    )


# Progress ------------------------------------------------------------------------------------------------------------
class ProgressForm(NhsukFormMixin, forms.Form):
    submit_label = "Post this update"

    progress = forms.ChoiceField(
        label="Where does this pledge stand?",
        choices=ProgressUpdate.Progress.choices,
        widget=RevealRadios(reveals={ProgressUpdate.Progress.STOPPED: "reason_stopped"}),
    )
    reason_stopped = forms.CharField(
        label="Why did it stop?",
        required=False,
        max_length=1000,
        widget=forms.Textarea({"rows": "4"}),
        help_text="Others learn from it.",
    )
    what_changed = forms.CharField(
        label="What has changed?",
        max_length=2000,
        widget=forms.Textarea,
        help_text="Say what was done and what is different now. Do not write about a patient.",
    )
    evidence = forms.URLField(
        label="Link to evidence", required=False, max_length=200, help_text="For example a board paper on your website"
    )
    metric = forms.ModelChoiceField(
        Metric.objects.none(), label="Metric that shows it", required=False, empty_label="None"
    )
    numbers_explained = numbers_explained_field()
    token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["metric"].queryset = public_metrics()
        typed = [self.data.get(name, "") for name in ("what_changed", "reason_stopped")]
        if not any(map(find_nhs_numbers, typed)):
            del self.fields["numbers_explained"]

    def clean(self):
        values = super().clean()
        if values.get("progress") == ProgressUpdate.Progress.STOPPED and not values.get("reason_stopped"):
            self.add_error("reason_stopped", "Say why it stopped")
        return values


# Buddies -------------------------------------------------------------------------------------------------------------
class OfferForm(NhsukFormMixin, forms.Form):
    submit_label = "Take messages from others"

    offers = forms.CharField(
        label="What can you help others with?",
        max_length=500,
        widget=forms.Textarea({"rows": "4"}),
        help_text="For example: how we began safety huddles. It is shown beside your pledges.",
    )


class WriteForm(NhsukFormMixin, forms.Form):
    submit_label = "Send message"

    message = forms.CharField(
        label="Your message",
        max_length=3000,
        widget=forms.Textarea,
        help_text="Do not write about a patient. Your name and address go with it, so that they can answer.",
    )
    token = forms.UUIDField(widget=forms.HiddenInput)


# In the admin --------------------------------------------------------------------------------------------------------
class ReasonsForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    reasons = forms.CharField(max_length=2000, widget=forms.Textarea, help_text="The organisation reads them.")


class WordingSetForm(NhsukFormMixin, forms.Form):
    submit_label = "Add wording set"

    version = forms.SlugField(max_length=20, help_text="For example 2027")
    name = forms.CharField(max_length=120)
    source = forms.CharField(label="Where the wording comes from", max_length=200, required=False)
    from_date = DateInputField(label="In force from")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for number in range(1, PLEDGES_IN_A_SET + 1):
            self.fields[f"title_{number}"] = forms.CharField(label=f"Pledge {number}: heading", max_length=60)
            self.fields[f"asks_{number}"] = forms.CharField(
                label=f"Pledge {number}: what it asks", max_length=500, widget=forms.Textarea({"rows": "3"})
            )

    def clean(self):
        values = super().clean()
        numbers = range(1, PLEDGES_IN_A_SET + 1)
        pairs = [(values.pop(f"title_{number}", ""), values.pop(f"asks_{number}", "")) for number in numbers]
        values["headings"] = [Heading(title, asks) for title, asks in pairs]
        return values
