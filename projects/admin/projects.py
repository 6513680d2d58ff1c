from django.contrib import admin

from projects import actions, forms, permissions
from projects.admin.shared import fields_of, history
from projects.models import Project
from psc_portal.common.admin import ActionAdmin, verb
from psc_portal.common.templatetags.portal import uk_date

Stage = Project.Status


@admin.register(Project)
class ProjectAdmin(ActionAdmin):
    list_display = ["title", "status", "lead_organisation", "evidence_level", "is_public", "updated_at"]
    list_filter = ["status", "is_public", "priorities", "origin"]
    list_select_related = ["lead_organisation"]
    search_fields = ["title"]
    readonly_fields = ["slug", "status", "settings_words", "led_by", "history"]
    fields = [
        "title", "slug", "status", "is_public", "led_by", "lay_summary", "aim", "priorities", "lead_organisation",
        "partners", "settings_words", "origin", "evidence_level", "result_in_short", "result", "what_did_not_work",
        "stopped_reason", "reuse_advice", "documents", "starts_on", "ends_on", "history",
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
            f"{row.user}, {row.role}, from {uk_date(row.from_date)}"
            + (f" to {uk_date(row.to_date)}" if row.to_date else "")
            for row in rows
        )

    def history(self, project):
        return history(project)
