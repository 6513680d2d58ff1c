from django.contrib import admin
from django.forms.models import model_to_dict

from projects import actions, forms, permissions
from projects.models import Affiliation, Organisation, Priority, Project, System
from psc_portal.common.admin import ActionAdmin, verb
from psc_portal.common.templatetags.portal import uk_date

Stage = Project.Status


def fields_of(form):
    """What a form needs of a row to start with."""
    return lambda row: model_to_dict(row, fields=form.base_fields)


def history(row) -> str:
    """Each move of a row with its day and who made it, a line each."""
    labels = dict(row._meta.get_field("status").flatchoices)
    changes = row.status_changes.select_related("by")
    return "\n".join(
        f"{uk_date(change.at)}: {labels[change.to_status]}, by {change.by or 'the portal'}" for change in changes
    )


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
    ]


@admin.register(Affiliation)
class AffiliationAdmin(ActionAdmin):
    list_display = ["user", "organisation", "role", "status", "from_date", "to_date"]
    list_filter = ["status"]
    list_select_related = ["user", "organisation"]
    search_fields = ["user__full_name", "user__email", "organisation__name"]
    readonly_fields = ["status", "confirmed_by", "history"]
    fields = ["user", "organisation", "role", "status", "from_date", "to_date", "confirmed_by", "history"]
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
            "end",
            action=actions.end_affiliation,
            permission=permissions.can_end_affiliation,
            when=lambda affiliation: affiliation.status == Affiliation.Status.CONFIRMED,
            intro="They will no longer act for the organisation. What they did there stays on record.",
        ),
    ]

    def history(self, affiliation):
        return history(affiliation)


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


@admin.register(Project)
class ProjectAdmin(ActionAdmin):
    list_display = ["title", "status", "lead_organisation", "evidence_level", "is_public", "updated_at"]
    list_filter = ["status", "is_public", "priorities", "origin"]
    list_select_related = ["lead_organisation"]
    search_fields = ["title"]
    readonly_fields = ["slug", "status", "settings_words", "led_by", "history"]
    fields = [
        "title", "slug", "status", "is_public", "led_by", "lay_summary", "aim", "priorities", "lead_organisation",
        "partners", "settings_words", "origin", "evidence_level", "result", "what_did_not_work", "stopped_reason",
        "starts_on", "ends_on", "history",
    ]  # fmt: skip
    add = verb(
        "add",
        form=forms.NewProjectForm,
        action=actions.create_project,
        label="Add a project",
        permission=permissions.can_manage,
    )
    verbs = [
        verb(
            "edit",
            form=forms.ProjectForm,
            action=actions.edit_project,
            initial=fields_of(forms.ProjectForm),
            permission=permissions.can_manage,
        ),
        verb(
            "stage",
            form=forms.StageForm,
            form_kwargs=lambda request, project: {"project": project},
            action=actions.change_stage,
            label="Change the stage",
            when=lambda project: bool(Project.TRANSITIONS[project.status]),
            permission=permissions.can_manage,
        ),
        verb(
            "publish",
            action=actions.publish_project,
            when=lambda project: not project.is_public,
            intro="Everyone will be able to read its page and find it.",
            permission=permissions.can_manage,
        ),
        verb(
            "hide",
            action=actions.hide_project,
            when=lambda project: project.is_public and project.status != Stage.STOPPED,
            intro="Only programme staff and its project leads will see its page.",
            permission=permissions.can_manage,
        ),
        verb(
            "add-lead",
            form=forms.AddLeadForm,
            action=actions.add_project_lead,
            label="Add a project lead",
            permission=permissions.can_manage,
        ),
        verb(
            "end-lead",
            form=forms.EndLeadForm,
            form_kwargs=lambda request, project: {"project": project},
            action=actions.end_project_lead,
            label="End a project lead",
            when=lambda project: project.leads.filter(to_date=None).exists(),
            permission=permissions.can_manage,
        ),
    ]

    @admin.display(description="Project leads")
    def led_by(self, project):
        rows = project.leads.select_related("user")
        return "\n".join(
            f"{row.user} from {uk_date(row.from_date)}{f' to {uk_date(row.to_date)}' if row.to_date else ''}"
            for row in rows
        )

    def history(self, project):
        return history(project)
