"""Conflicts of interest in the admin."""

from django.contrib import admin

from proposals import actions, forms, permissions
from proposals.admin.shown import earlier_of
from proposals.models import (
    ConflictOfInterest,
)
from psc_portal.common.admin import ActionAdmin, verb


@admin.register(ConflictOfInterest)
class ConflictOfInterestAdmin(ActionAdmin):
    list_display = ["proposal_shown", "user", "kind", "source", "recorded_at", "in_force"]
    list_filter = ["source", "kind"]
    list_select_related = ["proposal", "user"]
    fields = [
        "proposal_shown", "user", "kind", "source", "explanation", "recorded_by", "recorded_at", "overridden_at",
        "overridden_by", "override_reason", "earlier_shown",
    ]  # fmt: skip
    readonly_fields = ["proposal_shown", "earlier_shown"]
    verbs = [
        verb(
            "override", form=forms.OverrideForm, action=actions.override_conflict, label="Override",
            permission=lambda user, conflict: user.pk != conflict.user_id
            and permissions.can_handle(user, conflict.proposal),
            when=lambda conflict: conflict.is_in_force,
        )
    ]  # fmt: skip

    @admin.display(description="proposal", ordering="proposal__reference")
    def proposal_shown(self, conflict):
        return conflict.proposal.reference

    @admin.display(description="in force", boolean=True)
    def in_force(self, conflict):
        return conflict.is_in_force

    @admin.display(description="what was said before")
    def earlier_shown(self, conflict):
        return earlier_of(conflict) or "Nothing"
