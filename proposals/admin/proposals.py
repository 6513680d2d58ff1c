"""Proposals in the admin, for staff."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from proposals import actions, forms, permissions, questions, readings
from proposals.admin.exports import CallFilter, proposal_columns
from proposals.admin.shown import earlier_of, history_of, list_of, names_told, status_is, text_of
from proposals.models import (
    Call,
    Proposal,
    Review,
    Score,
)
from proposals.readings.spreads import spreads_of
from psc_portal.common.admin import ActionAdmin, ReadOnlyAdmin, verb
from psc_portal.common.admin_exports import ExportAdmin
from psc_portal.common.templatetags.portal import uk_datetime


def _assign_kwargs(request, proposal):
    actions.infer_conflicts(proposals=[proposal])  # whoever looks for reviewers sees every interest, and it is kept
    return {"possible": readings.possible_reviewers(proposal), "due_on": proposal.call.reviews_due_on}


def _assign_context(request, proposal):
    return {"call": proposal.call, "names_told": names_told(proposal)}


def _feedback_kwargs(request, proposal):
    return {"criteria": list(proposal.call.criterion_set.criteria.all())}


def _feedback_initial(proposal):
    decision = proposal.decisions.last()
    letter = getattr(decision, "letter", None)
    if letter is None:
        return {}
    initial = {"opening": letter.opening, "next_time": letter.next_time}
    return initial | {f"criterion_{one.criterion_id}": one.text for one in letter.comments.all()}


def _feedback_context(request, proposal):
    """Beside the form: what reviewers gave as reasons, criterion by criterion."""
    reviews = Review.objects.counted().filter(proposal=proposal).visible_to(request.user)
    scores = Score.objects.filter(review__in=reviews).exclude(reason="").select_related("criterion", "review")
    by_criterion = {}
    for score in scores.order_by("criterion__number", "review"):
        by_criterion.setdefault(score.criterion, []).append(score)
    return {"reasons": list(by_criterion.items()), "decision": proposal.decisions.last()}


def _messages_context(request, proposal):
    return {"conversation": proposal.messages.select_related("by"), "proposal": proposal}


def _release_context(request, proposal):
    decision = proposal.decisions.last()
    letter = getattr(decision, "letter", None)
    return {"letter": letter, "text": actions.letter_text(letter) if letter else ""}


def _letter_initial(proposal):
    letter = getattr(proposal.decisions.last(), "letter", None)
    if letter is None:
        return {}
    text = actions.letter_text(letter)
    subject, _, body = text.partition("\n")
    return {"subject": subject.removeprefix("Subject:").strip(), "body": body.strip(), "seen": actions.mark_of(text)}


def _letter_context(request, proposal):
    letter = getattr(proposal.decisions.last(), "letter", None)
    return {"letter": letter, "changed": actions.changed_since_edited(letter) if letter else []}


def _has_unreleased_letter(proposal):
    return _has_unreleased_decision(proposal) and hasattr(proposal.decisions.last(), "letter")


def _has_unreleased_decision(proposal):
    decision = proposal.decisions.last()
    letter = getattr(decision, "letter", None)
    return decision is not None and not (letter and letter.is_released)


def _can_be_decided(proposal):
    has_panel = proposal.call.status in (Call.Status.PANEL, Call.Status.DECIDED)
    return has_panel and proposal.status in (Proposal.Status.AT_PANEL, Proposal.Status.RESERVE)


def _decide_initial(proposal):
    return {"amount": proposal.amount_asked, "lead_organisation": proposal.organisation_id}


def _screen_kwargs(request, proposal):
    return {"rules": proposal.call.eligibility_rules}


def _screen_context(request, proposal):
    """The proposal beside the form, how many wait, and which is next."""
    waiting = list(readings.to_screen(request.user, proposal.call).values_list("pk", flat=True))
    place = waiting.index(proposal.pk) if proposal.pk in waiting else None
    others = [pk for pk in waiting if pk != proposal.pk]
    following = waiting[place + 1 :] if place is not None else others
    return text_of(request, proposal) | {
        "names_told": names_told(proposal),
        "waiting": len(waiting),
        "place": None if place is None else place + 1,
        "next_pk": (following or others or [None])[0],
    }


def _screened(proposal, screening) -> str:
    """On to the next one of the call, or back to this proposal after the last."""
    following = readings.to_screen(screening.screened_by, proposal.call).values_list("pk", flat=True)
    after = [pk for pk in following.filter(submitted_at__gte=proposal.submitted_at) if pk != proposal.pk]
    pk = (after or list(following[:1]) or [None])[0]
    if pk is None:
        return reverse("admin:proposals_proposal_change", args=[proposal.pk])
    return reverse("admin:proposals_proposal_screen", args=[pk])


@admin.register(Proposal)
class ProposalAdmin(ExportAdmin, ActionAdmin):
    list_display = ["reference", "title", "call_shown", "status", "organisation_shown", "reviews_shown", "spread_shown"]
    list_display_links = ["reference", "title"]
    list_filter = ["status", CallFilter]
    list_select_related = ["call", "organisation"]
    list_only = ["reference", "title", "status", "call__title", "organisation__name", "organisation_name"]
    search_fields = ["reference", "title", "organisation__name", "organisation_name"]
    ordering = ["-submitted_at", "-pk"]
    fields = [
        "reference", "title", "call", "status", "applicant_shown", "organisation_shown", "partners_shown",
        "lay_summary", "amount_shown", "evidence_level", "submitted_shown", "read_it", "screening_shown",
        "assignments_shown", "conflicts_shown", "messages_shown", "decisions_shown", "project_shown", "history_shown",
    ]  # fmt: skip
    readonly_fields = [
        "applicant_shown", "amount_shown", "submitted_shown", "organisation_shown", "partners_shown", "read_it",
        "screening_shown", "assignments_shown", "conflicts_shown", "messages_shown", "decisions_shown", "project_shown",
        "history_shown",
    ]  # fmt: skip
    verbs = [
        verb(
            "screen", form=forms.ScreenForm, action=actions.screen_proposal, label="Screen",
            permission=permissions.can_handle, when=status_is(Proposal.Status.SUBMITTED, Proposal.Status.INELIGIBLE),
            form_kwargs=_screen_kwargs, context=_screen_context, template="proposals/admin_screen.html",
            success=lambda proposal, screening: f"{proposal.reference} is {str(screening).lower()}.",
            success_url=_screened,
        ),
        verb(
            "assign", form=forms.AssignForm, action=actions.assign_reviewers, label="Assign reviewers",
            permission=permissions.can_handle, form_kwargs=_assign_kwargs, context=_assign_context,
            when=status_is(Proposal.Status.IN_ASSESSMENT), template="proposals/admin_assign.html",
        ),
        verb(
            "write", form=forms.WriteToTeamForm, action=actions.write_to_team, label="Write to the team",
            permission=permissions.can_handle, success="Your message is sent.",
            template="proposals/admin_message.html", context=_messages_context,
        ),
        verb(
            "record_conflict", form=forms.ConflictForm, action=actions.record_conflict, label="Record an interest",
            permission=permissions.can_handle,
            intro="From then on this proposal, its reviews and its scores are hidden from that person.",
        ),
        verb(
            "send_to_panel", form=forms.PanelForm, action=actions.send_to_panel, label="Send to panel",
            permission=permissions.can_handle,
            when=lambda proposal: proposal.status == "in_assessment" and proposal.call.status == "assessment",
            intro="After this its reviews can no longer be written or unlocked.",
        ),
        verb(
            "decide", form=forms.DecideForm, action=actions.decide, label="Decide", permission=permissions.can_handle,
            initial=_decide_initial, when=_can_be_decided,
            intro="The applicant is told nothing before the feedback is released. Approval makes the project and its "
            "promised metrics.",
        ),
        verb(
            "feedback", form=forms.FeedbackForm, action=actions.write_feedback, label="Write feedback",
            permission=permissions.can_handle, form_kwargs=_feedback_kwargs, initial=_feedback_initial,
            context=_feedback_context, when=_has_unreleased_decision, template="proposals/admin_feedback.html",
        ),
        verb(
            "edit_letter", form=forms.LetterForm, action=actions.edit_letter, label="Edit the letter",
            permission=permissions.can_handle, initial=_letter_initial, context=_letter_context,
            when=_has_unreleased_letter, template="proposals/admin_edit_letter.html", success="The letter is saved.",
        ),
        verb(
            "release", form=forms.ReleaseForm, action=actions.release_feedback, label="Release feedback",
            permission=permissions.can_handle,
            context=_release_context, when=_has_unreleased_decision, template="proposals/admin_release.html",
            success="The feedback is released and on its way.",
        ),
    ]  # fmt: skip

    def get_queryset(self, request):
        return super(ReadOnlyAdmin, self).get_queryset(request).seen_by_staff(request.user)

    def with_figures(self, request, rows):
        keys = [proposal.pk for proposal in rows]
        counts, spreads = readings.assignment_counts(keys), spreads_of(keys, request.user)
        for proposal in rows:
            proposal.counts, proposal.spread = counts.get(proposal.pk, (0, 0)), spreads.get(proposal.pk, "–")
        return rows

    def export_rows(self, request, rows):
        reviews = Review.objects.counted().beside_those_of(request.user)
        return rows.with_review_counts().with_spread_of(reviews)

    def export_columns(self, request):
        return proposal_columns()

    @admin.display(description="scores")
    def spread_shown(self, proposal):
        return proposal.spread

    @admin.display(description="call", ordering="call__title")
    def call_shown(self, proposal):
        return proposal.call.title

    @admin.display(description="asked for")
    def amount_shown(self, proposal):
        return "–" if proposal.amount_asked is None else questions.pounds(proposal.amount_asked)

    @admin.display(description="received", ordering="submitted_at")
    def submitted_shown(self, proposal):
        return uk_datetime(proposal.submitted_at)

    @admin.display(description="organisation", ordering="organisation__name")
    def organisation_shown(self, proposal):
        return proposal.applicant_organisation_name

    @admin.display(description="reviews locked")
    def reviews_shown(self, proposal):
        assigned, locked = proposal.counts
        return f"{locked} of {assigned}"

    @admin.display(description="applicant")
    def applicant_shown(self, proposal):
        return f"{proposal.applicant.display_name}, {proposal.applicant.email}"

    @admin.display(description="partners")
    def partners_shown(self, proposal):
        return ", ".join(partner.name for partner in proposal.partners.all()) or "None"

    @admin.display(description="the whole proposal")
    def read_it(self, proposal):
        url = reverse("proposals:proposal_copy", args=[proposal.address])
        return format_html('<a href="{}">Read the proposal</a> {}', url, " ".join(readings.held_back(proposal)))

    @admin.display(description="screening")
    def screening_shown(self, proposal):
        rows = (
            (
                one,
                ". Not met: " + "; ".join(one.rules_not_met) if one.rules_not_met else "",
                f". {one.reason}" if one.reason else "",
                f" What to do: {one.what_to_do}" if one.what_to_do else "",
                one.screened_by,
                uk_datetime(one.screened_at),
            )
            for one in proposal.screenings.select_related("screened_by")
        )
        return list_of("<li>{}{}{}{} ({}, {})</li>", rows, "Not screened yet")

    @admin.display(description="reviewers")
    def assignments_shown(self, proposal):
        rows = (
            (
                reverse("admin:proposals_assignment_change", args=[one.pk]),
                one.reviewer,
                " (lay)" if one.is_lay else "",
                one.get_status_display(),
                one.why_declined,
            )
            for one in proposal.assignments.select_related("reviewer")
        )
        return list_of('<li><a href="{}">{}</a>{}: {} {}</li>', rows, "Nobody assigned yet")

    @admin.display(description="conflicts of interest")
    def conflicts_shown(self, proposal):
        rows = (
            (
                reverse("admin:proposals_conflictofinterest_change", args=[one.pk]),
                one.user,
                one,
                "" if one.is_in_force else f", overridden: {one.override_reason}",
                earlier_of(one),
            )
            for one in proposal.conflicts.select_related("user").prefetch_related(
                "earlier__recorded_by", "earlier__overridden_by"
            )
        )
        return list_of('<li><a href="{}">{}</a>: {}{}{}</li>', rows, "None known")

    @admin.display(description="messages")
    def messages_shown(self, proposal):
        rows = (
            (
                reverse("admin:proposals_message_change", args=[one.pk]),
                uk_datetime(one.sent_at),
                "the team" if one.is_from_team else "us",
                one.by,
            )
            for one in proposal.messages.select_related("by")
        )
        return list_of('<li><a href="{}">{}</a>, from {} ({})</li>', rows, "None")

    @admin.display(description="decisions")
    def decisions_shown(self, proposal):
        rows = (
            (
                one,
                "" if one.amount is None else f", {questions.pounds(one.amount)}",
                uk_datetime(one.decided_at),
                one.decided_by,
                one.reasons,
                one.conditions and f"Conditions: {one.conditions}",
            )
            for one in proposal.decisions.select_related("decided_by")
        )
        return list_of("<li>{}{} ({}, {}). {} {}</li>", rows, "None yet")

    @admin.display(description="project")
    def project_shown(self, proposal):
        if proposal.project is None:
            return "None"
        return format_html('<a href="{}">{}</a>', proposal.project.get_absolute_url(), proposal.project)

    @admin.display(description="history")
    def history_shown(self, proposal):
        return history_of(proposal)
