from urllib.parse import urlencode

from django import forms

from projects.forms.shared import Words
from projects.models import (
    EVIDENCE_LEVELS,
    CareSetting,
    Organisation,
    Priority,
    Project,
)


class FilterChoice(forms.ChoiceField):
    def __init__(self, *, nothing, choices=(), **options):
        self.nothing = nothing
        super().__init__(choices=[("", nothing), *choices], required=False, **options)
        self.error_messages["invalid_choice"] = (
            "{label}: there is no such choice, so it was left out. Choose one from the list."
        )


class ListFilters(forms.Form):
    """Filters in the address of a list. What makes no sense there gets a sentence and is left out."""

    def __init__(self, data, *, projects):
        super().__init__(data)
        self.projects = projects
        for name, choices in self.named_choices().items():
            self.fields[name].choices = [("", self.fields[name].nothing), *choices]
        self.is_valid()
        self.chosen = {name: value for name, value in self.cleaned_data.items() if value}

    def named_choices(self) -> dict:
        """Choices that stand in the database, by the name of their filter."""
        return {}

    @property
    def query(self) -> str:
        """The filters as they stand in an address."""
        return urlencode(self.chosen)


class ProjectFilters(ListFilters):
    """Filters of the project list."""

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

    def named_choices(self):
        return {
            "priority": Priority.objects.values_list("slug", "title"),
            "organisation": Organisation.objects.in_projects(self.projects).values_list("slug", "name"),
        }

    def show_counts(self) -> None:
        """Behind each choice, how many projects it would leave."""
        counts = self.projects.choice_counts(self.chosen)
        for name, numbers in counts.items():
            (_empty, nothing), *choices = self.fields[name].choices
            self.fields[name].choices = [
                ("", nothing),
                *[(value, f"{label} ({numbers.get(value, 0)})") for value, label in choices],
            ]
