from django.contrib import admin

from projects import actions, forms, permissions
from projects.admin.shared import fields_of, history
from projects.leaving import duties_at, people_to_take_over
from projects.models import Affiliation, Organisation, System
from psc_portal.common.admin import ActionAdmin, verb
from psc_portal.common.hand_over import HandOverForm


@admin.register(System)
class SystemAdmin(ActionAdmin):
    list_display = ["name", "code"]
    fields = ["name", "code"]
    add = verb(
        "add",
        form=forms.SystemForm,
        action=actions.create_system,
        label="Add a system",
        permission=permissions.can_manage,
    )


@admin.register(Organisation)
class OrganisationAdmin(ActionAdmin):
    list_display = ["name", "ods_code", "kind", "system", "closed_on"]
    list_filter = ["kind", "system"]
    list_select_related = ["system"]
    search_fields = ["name", "short_name", "ods_code"]
    readonly_fields = ["slug", "settings_words"]
    fields = [
        "name", "short_name", "former_names", "slug", "ods_code", "kind", "settings_words", "system",
        "serves_all_systems", "is_outside_region", "postcode", "email_domain", "opened_on", "closed_on", "successor",
    ]  # fmt: skip
    add = verb(
        "add",
        form=forms.NewOrganisationForm,
        action=actions.create_organisation,
        label="Add an organisation",
        permission=permissions.can_manage,
    )
    verbs = [
        verb(
            "edit",
            form=forms.EditOrganisationForm,
            action=actions.edit_organisation,
            initial=fields_of(forms.EditOrganisationForm),
            permission=permissions.can_manage,
        ),
        verb(
            "rename",
            form=forms.RenameForm,
            action=actions.rename_organisation,
            intro="The former name is kept, and so is the address of its pages.",
            permission=permissions.can_manage,
        ),
        verb(
            "merge",
            form=forms.MergeForm,
            form_kwargs=lambda request, organisation: {"organisation": organisation},
            action=actions.merge_organisations,
            label="Merge",
            intro="It closes, and what is open moves to the organisation that follows it. What is over keeps the name "
            "of its time. You see the whole list before anything changes.",
            permission=permissions.can_manage,
            when=lambda organisation: organisation.successor_id is None,
            template="admin/merge_form.html",
        ),
    ]


@admin.register(Affiliation)
class AffiliationAdmin(ActionAdmin):
    list_display = ["user", "organisation", "role", "status", "signing", "from_date", "to_date"]
    list_filter = ["status", "signing"]
    list_select_related = ["user", "organisation"]
    search_fields = ["user__full_name", "user__email", "organisation__name"]
    readonly_fields = ["status", "signing", "confirmed_by", "history"]
    fields = ["user", "organisation", "role", "status", "signing", "from_date", "to_date", "confirmed_by", "history"]
    verbs = [
        verb(
            "confirm",
            action=actions.confirm_affiliation,
            permission=permissions.can_answer_claim,
            when=lambda affiliation: affiliation.status == Affiliation.Status.CLAIMED,
            intro="They will be able to act for the organisation, and get a mail that says so.",
        ),
        verb(
            "decline",
            action=actions.decline_affiliation,
            permission=permissions.can_answer_claim,
            when=lambda affiliation: affiliation.status == Affiliation.Status.CLAIMED,
            intro="They get a mail that says that it could not be confirmed, and whom to ask.",
        ),
        verb(
            "confirm_signatory",
            action=actions.confirm_signatory,
            label="Confirm that they sign",
            permission=permissions.can_answer_claim,
            when=lambda affiliation: (
                affiliation.status == Affiliation.Status.CONFIRMED and not affiliation.is_signatory
            ),
            intro="They can then sign pledges for the organisation, and confirm others who belong there.",
        ),
        verb(
            "decline_signatory",
            action=actions.decline_signatory,
            label="They do not sign",
            permission=permissions.can_answer_claim,
            when=lambda affiliation: (
                affiliation.status == Affiliation.Status.CONFIRMED and affiliation.signing != Affiliation.Signing.NO
            ),
            intro="They still belong to the organisation. Nothing that they signed is published from now on.",
        ),
        verb(
            "end",
            form=HandOverForm,
            form_kwargs=lambda request, affiliation: {
                "duties": duties_at(affiliation),
                "people": people_to_take_over(affiliation),
            },
            action=actions.end_affiliation,
            permission=permissions.can_end_affiliation,
            when=lambda affiliation: affiliation.status == Affiliation.Status.CONFIRMED,
            intro="They will no longer act for the organisation. What they did there stays on record.",
        ),
    ]

    def history(self, affiliation):
        return history(affiliation)
