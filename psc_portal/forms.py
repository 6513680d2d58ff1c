"""Filters of the pages that compose several apps."""

from urllib.parse import urlencode

from django import forms

from projects.forms.filters import FilterChoice
from projects.forms.shared import Words
from projects.models import Project

ON_NO_PRIORITY = "none"


class ThreadFilters(forms.Form):
    """Filters in the address of the whole thread. What makes no sense there gets a sentence and is left out."""

    q = Words(label="Words in a title", required=False, max_length=200)
    priority = FilterChoice(nothing="All priorities")
    system = FilterChoice(nothing="All systems", label="System")
    stage = FilterChoice(nothing="All stages", choices=Project.Status.choices, label="Stage of the project")

    def __init__(self, data, *, priorities, systems):
        super().__init__(data)
        named = {
            "priority": [*((slug, one.title) for slug, one in priorities.items()), (ON_NO_PRIORITY, "On no priority")],
            "system": [(code, system.name) for code, system in systems.items()],
        }
        for name, choices in named.items():
            self.fields[name].choices = [("", self.fields[name].nothing), *choices]
        self.is_valid()
        self.chosen = {name: value for name, value in self.cleaned_data.items() if value}

    @property
    def query(self) -> str:
        """The filters as they stand in an address."""
        return urlencode(self.chosen)
