from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand

from psc_portal.common.models import Stateful

PATH = Path(settings.BASE_DIR) / "docs" / "states.md"
INTRO = """# States

Written by `manage.py write_states` from `TRANSITIONS` in the code; a test fails when it is stale. Every move goes
through `change_status`, which keeps who made it and when in a table that PostgreSQL protects against change.
"""


def drawn(model) -> str:
    """One model's states as a section with a Mermaid diagram."""
    field = model._meta.get_field("status")
    labels = dict(field.flatchoices)
    lines = [f"## {model._meta.verbose_name.capitalize()}", "", "```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{label}" as {value}' for value, label in labels.items()]
    lines.append(f"    [*] --> {field.get_default()}")
    for start, targets in model.TRANSITIONS.items():
        lines += [f"    {start} --> {target}" for target in labels if target in targets]
        if not targets:
            lines.append(f"    {start} --> [*]")
    return "\n".join([*lines, "```", ""])


def all_states() -> str:
    models = [model for model in apps.get_models() if issubclass(model, Stateful)]
    return "\n".join([INTRO, *(drawn(model) for model in sorted(models, key=lambda model: model._meta.label))])


class Command(BaseCommand):
    help = "Draw the states of everything that has some, from the code, into docs/states.md"

    def handle(self, **options):
        PATH.write_text(all_states())
        self.stdout.write(f"Wrote {PATH.relative_to(settings.BASE_DIR)}")
