from django.contrib import admin
from django.urls import reverse

from psc_portal.common.admin import ActionAdmin, verb
from psc_portal.search import actions, forms
from psc_portal.search.models import Synonym


@admin.register(Synonym)
class SynonymAdmin(ActionAdmin):
    list_display = ["shown", "updated_at"]
    search_fields = ["terms"]
    fields = ["shown", "created_at", "updated_at"]
    readonly_fields = ["shown", "created_at", "updated_at"]
    add = verb("add", form=forms.SynonymForm, action=actions.add_synonym, label="Add synonyms")
    verbs = [
        verb(
            "edit",
            form=forms.SynonymForm,
            action=actions.edit_synonym,
            label="Edit",
            initial=lambda synonym: {"terms": "\n".join(synonym.terms)},
            success="The search uses these words from now on.",
        ),
        verb(
            "remove",
            action=actions.delete_synonym,
            label="Delete",
            intro="The search will no longer take these words for the same.",
            success="The synonyms are deleted.",
            success_url=lambda synonym, _result: reverse("admin:search_synonym_changelist"),
        ),
    ]

    @admin.display(description="mean the same", ordering="terms")
    def shown(self, synonym):
        return str(synonym)
