from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from pledges import actions, forms, permissions
from pledges.models import ProgressUpdate, SignUp, WordingSet
from pledges.plans import write_outline
from psc_portal.common.admin import ActionAdmin, verb
from psc_portal.common.templatetags.portal import lines

Status = SignUp.Status


def can_become(status):
    return lambda sign_up: status in SignUp.TRANSITIONS[sign_up.status]


def confirmation(sign_up):
    """What staff must know before they publish."""
    if sign_up.is_confirmed:
        return f"{sign_up.signatory.display_name} is confirmed to sign for {sign_up.organisation.name}."
    return (
        f"It is not confirmed that {sign_up.signatory.display_name} signs for {sign_up.organisation.name}. "
        "Confirm the affiliation first: until then this cannot be published."
    )


@admin.register(SignUp)
class SignUpAdmin(ActionAdmin):
    list_display = ["organisation_name", "wording_set", "status", "signatory_name", "published_at", "updated_at"]
    list_filter = ["status", "wording_set"]
    list_select_related = ["wording_set"]
    search_fields = ["organisation_name", "signatory_name"]
    fields = [
        "status",
        "organisation",
        "wording_set",
        "is_signatory_confirmed",
        "signatory",
        "signatory_name",
        "signatory_role",
        "board_approved_on",
        "plan_from",
        "plan_to",
        "own_page",
        "improvement_areas",
        "what_they_promise",
        "aim",
        "what_drives_it",
        "numbers_explained",
        "notes",
        "history",
    ]
    readonly_fields = [
        "is_signatory_confirmed", "improvement_areas", "what_they_promise", "what_drives_it", "notes", "history"
    ]  # fmt: skip
    verbs = [
        verb(
            "publish",
            action=actions.publish_sign_up,
            label="Publish",
            intro=confirmation,
            permission=permissions.can_moderate,
            when=can_become(Status.PUBLISHED),
            success="The pledges are published. The signatory gets a mail.",
        ),
        verb(
            "return",
            form=forms.ReasonsForm,
            action=actions.return_sign_up,
            label="Return with reasons",
            permission=permissions.can_moderate,
            when=can_become(Status.RETURNED),
            success="The pledges are returned. The signatory gets a mail with your reasons.",
        ),
        verb(
            "end",
            form=forms.ReasonsForm,
            action=actions.end_sign_up,
            label="End",
            intro="The plan is over, or the organisation has merged. The page stays and says so.",
            permission=permissions.can_moderate,
            when=can_become(Status.ENDED),
        ),
        verb(
            "withdraw",
            form=forms.ReasonsForm,
            action=actions.withdraw_sign_up,
            label="Withdraw",
            intro="The statements are no longer shown. The page says that they were withdrawn.",
            permission=permissions.can_moderate,
            when=can_become(Status.WITHDRAWN),
        ),
    ]

    def view_on_site(self, sign_up):
        return sign_up.get_absolute_url() if sign_up.published_at else None

    @admin.display(description="signatory's affiliation")
    def is_signatory_confirmed(self, sign_up):
        affiliation = sign_up.organisation.affiliations.filter(user=sign_up.signatory_id).order_by("-pk").first()
        if affiliation is None:
            return confirmation(sign_up)
        url = reverse("admin:projects_affiliation_change", args=[affiliation.pk])
        return format_html('{} <a href="{}">See the affiliation</a>', confirmation(sign_up), url)

    @admin.display
    def improvement_areas(self, sign_up):
        rows = ((area.get_scope_display(), area.name) for area in sign_up.areas.all())
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {}</li>", rows))

    @admin.display
    def what_they_promise(self, sign_up):
        statements = sign_up.statements.select_related("pledge", "metric").defer("search")
        rows = (
            (
                statement.pledge.number,
                statement.pledge.title,
                statement.words,
                lines(statement.text),
                f"Metric: {statement.metric}" if statement.metric else "No metric",
            )
            for statement in statements
        )
        return format_html_join("", "<p><strong>{}. {}</strong> ({} words)</p>{}<p>{}</p>", rows)

    @admin.display
    def what_drives_it(self, sign_up):
        return lines(write_outline(sign_up.drivers)) or "No driver diagram"

    @admin.display(description="reasons given so far")
    def notes(self, sign_up):
        rows = (
            (note.get_to_status_display(), f"{note.at:%-d %B %Y}", note.by or "the portal", note.reasons)
            for note in sign_up.moderation_notes.select_related("by")
        )
        return format_html_join("", "<p>{}, {}, {}: {}</p>", rows) or "None"

    @admin.display
    def history(self, sign_up):
        labels = dict(Status.choices)
        rows = (
            (f"{change.at:%-d %B %Y %H:%M}", labels[change.to_status], change.by or "the portal")
            for change in sign_up.status_changes.select_related("by")
        )
        return format_html_join("", "<p>{}: {}, {}</p>", rows) or "Begun, not submitted yet"


@admin.register(WordingSet)
class WordingSetAdmin(ActionAdmin):
    list_display = ["name", "version", "from_date", "to_date"]
    fields = ["name", "version", "source", "from_date", "to_date", "five_pledges"]
    readonly_fields = ["five_pledges"]
    add = verb(
        "add",
        form=forms.WordingSetForm,
        action=actions.add_wording_set,
        label="Add a wording set",
        intro="From its first day, organisations sign this set. Those that signed an earlier one stay with it.",
        permission=permissions.can_edit_wording,
    )

    @admin.display
    def five_pledges(self, wording_set):
        rows = ((pledge.number, pledge.title, pledge.asks) for pledge in wording_set.pledges.all())
        return format_html("<ol>{}</ol>", format_html_join("", '<li value="{}"><strong>{}.</strong> {}</li>', rows))


@admin.register(ProgressUpdate)
class ProgressUpdateAdmin(ActionAdmin):
    list_display = ["made_on", "organisation", "pledge", "progress", "by"]
    list_filter = ["progress"]
    list_select_related = ["statement__pledge", "statement__sign_up", "by"]
    fields = [
        "statement",
        "made_on",
        "progress",
        "what_changed",
        "reason_stopped",
        "evidence",
        "metric",
        "numbers_explained",
        "by",
    ]

    @admin.display
    def organisation(self, update):
        return update.statement.sign_up.organisation_name

    @admin.display
    def pledge(self, update):
        return update.statement.pledge
