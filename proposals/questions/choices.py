"""The lists to choose from."""

from dataclasses import dataclass, field

from projects.models import EVIDENCE_LEVELS, CareSetting, Organisation, System
from proposals.models import PromisedBenefit
from proposals.questions.asking import Question

YES_NO = (("yes", "Yes"), ("no", "No"))
OUTSIDE = "outside"  # an adopter in none of the systems of the region
AGREED = "agreed"  # how far an adopter is: in writing


@dataclass
class Choices:
    """The lists to choose from. Lists that come from the database are read once, when first asked for.

    Args:
        organisation: the one most likely to be shown, where it is at hand.
    """

    call: object
    organisation: Organisation | None = None
    _read: dict = field(default_factory=dict)

    def of(self, question: Question) -> list[tuple[str, str]]:
        if question.options:
            return list(question.options)
        name = question.choices
        if name not in self._read:
            self._read[name] = list(getattr(self, name)())
        return self._read[name]

    def label(self, question: Question, value: str) -> str:
        if question.choices == "organisations":
            return self._organisation_named(value)
        return dict(self.of(question)).get(value, value)

    def _organisation_named(self, value: str) -> str:
        """One name, also of an organisation that has closed: the list of all is for choosing."""
        if self.organisation and value == str(self.organisation.pk):
            return self.organisation.name
        names = Organisation.objects.filter(pk=value).values_list("name", flat=True) if value.isdecimal() else []
        return next(iter(names), value)

    def organisations(self):
        rows = Organisation.objects.current().order_by("name").values_list("pk", "name")
        return ((str(pk), name) for pk, name in rows)

    def priorities(self):
        return ((str(priority.pk), priority.title) for priority in self.call.priorities.all())

    def systems(self):
        return (*System.objects.values_list("code", "name"), (OUTSIDE, "Outside the region"))

    def care_settings(self):
        return CareSetting.choices

    def evidence_levels(self):
        return ((str(level), f"Level {level}: {text}") for level, text in EVIDENCE_LEVELS.items())

    def digital_tiers(self):
        return (
            ("A", "Tier A: it saves cost or staff time"),
            ("B", "Tier B: it helps people to manage their health"),
            ("C", "Tier C: it treats, diagnoses or guides care"),
        )

    def adoption_stages(self):
        return (("asked", "Asked"), ("interested", "Interested"), (AGREED, "Agreed in writing"))

    def budget_years(self):
        return (("1", "Year 1"), ("2", "Year 2"), ("3", "Year 3"))

    def benefit_kinds(self):
        return (
            (PromisedBenefit.Kind.OUTCOME, "Outcome: did it help people?"),
            (PromisedBenefit.Kind.PROCESS, "Process: did we do it?"),
            (PromisedBenefit.Kind.BALANCING, "Balancing: did something else get worse?"),
        )

    def directions(self):
        return PromisedBenefit.Direction.choices
