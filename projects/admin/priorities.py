from django.contrib import admin

from projects import actions, forms, permissions
from projects.admin.shared import fields_of
from projects.models import Priority
from psc_portal.common.admin import ActionAdmin, verb


@admin.register(Priority)
class PriorityAdmin(ActionAdmin):
    list_display = ["title", "kind", "position", "from_date", "to_date"]
    list_filter = ["kind"]
    search_fields = ["title"]
    readonly_fields = ["slug"]
    fields = [
        "title", "slug", "kind", "summary", "why_chosen", "asked_by", "source", "from_date", "to_date", "position",
    ]  # fmt: skip
    add = verb(
        "add",
        form=forms.PriorityForm,
        action=actions.create_priority,
        label="Add a local priority",
        permission=permissions.can_manage,
    )
    verbs = [
        verb(
            "edit",
            form=forms.PriorityForm,
            action=actions.edit_priority,
            initial=fields_of(forms.PriorityForm),
            permission=permissions.can_manage,
        ),
        verb(
            "retire",
            form=forms.RetireForm,
            action=actions.retire_priority,
            when=lambda priority: not priority.is_must_do,
            intro="Its page stays, and says until when it was a priority.",
            permission=permissions.can_manage,
        ),
    ]
