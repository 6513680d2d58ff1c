"""The fit check: the six criteria as questions on one page, for anyone."""

from crispy_forms.layout import Fieldset, Layout
from django import forms

from projects.models import EVIDENCE_LEVELS
from proposals import fit
from psc_portal.common.nhsuk import NhsukFormMixin

NOTHING_EXPECTED = "We expect none."
LONGEST_AIM = 300


def _one_of(label, *choices, **kwargs):
    return forms.ChoiceField(label=label, choices=choices, widget=forms.RadioSelect, **kwargs)


def _yes_no(label, **kwargs):
    return _one_of(label, ("yes", "Yes"), ("no", "No"), **kwargs)


class FitCheckForm(NhsukFormMixin, forms.Form):
    submit_label = "See the result"
    priorities = forms.MultipleChoiceField(
        label="Which priorities of this call does your idea serve?",
        help_text="Select all that it serves. If none, leave them empty.",
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    asked_by = _one_of(
        "Has an organisation that gives or plans care asked for it?",
        ("several", "Yes, two or more"),
        ("one", "Yes, one"),
        ("nobody", "Not yet"),
        error_messages={"required": "Select whether an organisation has asked for it"},
    )
    evidence_level = _one_of(
        "How well has it been tested?",
        *((str(level), text) for level, text in EVIDENCE_LEVELS.items()),
        help_text="Choose the highest that you can show",
        error_messages={"required": "Select how well it has been tested"},
    )
    sites_now = forms.IntegerField(
        label="How many sites use it now?",
        help_text="Wards, teams, homes or practices. If none, enter 0.",
        min_value=0,
        max_value=999_999_999,
        error_messages={"required": "Enter how many sites use it now, or 0"},
    )
    adopters = _one_of(
        "Has anyone else said that they would adopt it?",
        ("agreed", "Yes, in writing"),
        ("interested", "Some are interested"),
        ("nobody", "Not yet"),
        error_messages={"required": "Select whether anyone else would adopt it"},
    )
    aim_kind = _one_of(
        "Do you have an aim with a number and a date?",
        ("measured", "Yes, and we know the figure from which we start"),
        ("aim", "Yes, but we do not know yet where we start"),
        ("none", "Not yet"),
        error_messages={"required": "Select whether you have an aim with a number and a date"},
    )
    aim = forms.CharField(
        label="Your aim",
        help_text="How much, by when, for whom",
        max_length=LONGEST_AIM,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    involves_people = _yes_no(
        "Have patients, service users or carers shaped it?",
        error_messages={"required": "Select whether patients, service users or carers have shaped it"},
    )
    serves_underserved = _yes_no(
        "Will it improve a service for an underserved community?",
        help_text="For example ethnic minority communities, people with a learning disability, or the most deprived "
        "fifth of the population",
        error_messages={"required": "Select whether it will improve a service for an underserved community"},
    )
    growth = _one_of(
        "Do you expect growth for the region: jobs, investment, contracts?",
        ("yes", "Yes"),
        ("no", "No"),
        ("unsure", "Not sure"),
        help_text="This is scored, not required. It does not count against your idea here.",
        error_messages={"required": "Select whether you expect growth for the region"},
    )
    BY_CRITERION = {
        "priorities": ("priorities", "asked_by"),
        "proven": ("evidence_level",),
        "spread": ("sites_now", "adopters"),
        "benefits": ("aim_kind", "aim"),
        "involvement": ("involves_people", "serves_underserved"),
        "growth": ("growth",),
    }

    def __init__(self, *args, call, **kwargs):
        super().__init__(*args, **kwargs)
        self.call = call
        self.fields["priorities"].choices = [(str(one.pk), one.title) for one in call.priorities.all()]

    @property
    def form_layout(self):
        criteria = [weight.criterion for weight in self.call.weights.all()]
        return Layout(
            *(
                Fieldset(f"{criterion.number}. {criterion.title}", *self.BY_CRITERION[criterion.code])
                for criterion in criteria
                if criterion.code in self.BY_CRITERION
            )
        )

    def idea(self) -> fit.Idea:
        values = self.cleaned_data
        return fit.Idea(
            priorities=len(values["priorities"]),
            asked_by=values["asked_by"],
            evidence_level=int(values["evidence_level"]),
            adopters=values["adopters"],
            aim=values["aim_kind"],
            involves_people=values["involves_people"] == "yes",
            serves_underserved=values["serves_underserved"] == "yes",
        )

    def answers(self) -> dict:
        """What the form of a proposal asks too, by the names that it uses, as if it had been typed there."""
        values = self.cleaned_data
        found = {
            "priorities": values["priorities"],
            "evidence_level": values["evidence_level"],
            "sites_now": str(values["sites_now"]),
            "aim": values["aim"],
            "growth": NOTHING_EXPECTED if values["growth"] == "no" else "",
        }
        return {name: value for name, value in found.items() if value}

    def hidden(self):
        """Everything that was answered, to be sent on by the page that shows the result: (name, value)."""
        for name in self.fields:
            for value in self.data.getlist(name):
                yield name, value
