from dataclasses import dataclass

from django.contrib import admin

from projects import actions, diagram, forms, permissions, readings, wording
from projects.admin.shared import history
from projects.models import Project, ProposedChange
from psc_portal.common.admin import ActionAdmin, verb
from psc_portal.common.word_diff import Piece, word_changes

Status = ProposedChange.Status


@dataclass(frozen=True)
class TextChange:
    label: str
    pieces: list[Piece]
    warning: str


def what_changes(request, proposed_change) -> dict:
    """Old beside new: the words of each text, or the boxes of the diagram."""
    level = proposed_change.project.evidence_level
    if proposed_change.kind == ProposedChange.Kind.DRIVERS:
        boxes = diagram.from_data(proposed_change.after)
        return {"differences": diagram.differences(readings.boxes_of(proposed_change.project), boxes)}
    texts = []
    for name, text in readings.changed_texts(proposed_change).items():
        claims = wording.claims_in(text, level) if name in readings.CLAIMING_TEXTS else []
        label = Project._meta.get_field(name).verbose_name
        now = getattr(proposed_change.project, name)
        texts.append(
            TextChange(
                label[:1].upper() + label[1:], word_changes(now, text), wording.warning(claims, level) if claims else ""
            )
        )
    before, now = proposed_change.before, readings.texts_of(proposed_change.project)
    return {"texts": texts, "has_moved": any(now[name] != text for name, text in before.items())}


@admin.register(ProposedChange)
class ProposedChangeAdmin(ActionAdmin):
    list_display = ["project", "kind", "status", "author", "updated_at"]
    list_filter = ["status", "kind"]
    list_select_related = ["project", "author"]
    search_fields = ["project__title"]
    fields = ["project", "kind", "status", "author", "reason", "summary", "history"]
    readonly_fields = ["status", "summary", "history"]
    verbs = [
        verb(
            "approve",
            form=forms.ApproveChangeForm,
            action=actions.approve_change,
            label="Approve and make public",
            permission=permissions.can_manage,
            when=lambda change: change.status == Status.WAITING,
            initial=lambda change: {"seen": change.mark_beside(readings.shown_now(change))},
            intro="Everyone will read the new words. The lead gets a mail.",
            template="projects/admin_change.html",
            context=what_changes,
        ),
        verb(
            "return",
            form=forms.ReturnChangeForm,
            action=actions.return_change,
            label="Send back with a reason",
            permission=permissions.can_manage,
            when=lambda change: change.status == Status.WAITING,
            intro="The page stays as it is. The lead gets your reason by mail and keeps their words.",
            template="projects/admin_change.html",
            context=what_changes,
        ),
    ]

    @admin.display(description="what changes")
    def summary(self, change):
        if change.kind == ProposedChange.Kind.DRIVERS:
            lines = diagram.differences(diagram.from_data(change.before), diagram.from_data(change.after))
            return "\n".join(f"{line.what}: {line.before or line.after}" for line in lines)
        return "\n\n".join(
            f"{Project._meta.get_field(name).verbose_name}\nOld: {change.before.get(name) or 'nothing'}\nNew: {text}"
            for name, text in readings.changed_texts(change).items()
        )

    def history(self, change):
        return history(change)
