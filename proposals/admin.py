"""Calls, proposals and reviews in the admin, where staff and reviewers work. Every change is a verb of actions."""

from django.contrib import admin
from django.db.models import Count, Q
from django.http import Http404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join

from proposals import actions, forms, permissions, questions, readings
from proposals.models import (
    Assignment,
    Call,
    ConflictOfInterest,
    Criterion,
    Proposal,
    Review,
    Score,
)
from psc_portal.common.admin import ActionAdmin, ReadOnlyAdmin, verb
from psc_portal.common.markdown import render_markdown
from psc_portal.common.templatetags.portal import uk_date, uk_datetime


@admin.register(Criterion)
class CriterionAdmin(ReadOnlyAdmin):
    list_display = ["number", "title", "criterion_set"]
    list_display_links = ["title"]
    list_select_related = ["criterion_set"]
    fields = ["criterion_set", "number", "title", "wording", "help_text", "top_score", "lay_question", "levels_shown"]
    readonly_fields = ["levels_shown"]

    @admin.display(description="levels")
    def levels_shown(self, criterion):
        rows = ((level.level, level.text) for level in criterion.levels.all())
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {}</li>", rows))


# Calls ----------------------------------------------------------------------------------------------------------------
def _is(*statuses):
    return lambda obj: obj.status in statuses


@admin.register(Call)
class CallAdmin(ActionAdmin):
    list_display = ["title", "stage_shown", "opens_at", "closes_at", "decision_on", "received"]
    list_filter = ["status"]
    search_fields = ["title", "summary"]
    fields = [
        "title", "stage_shown", "summary", "about_shown", "priorities_shown", "opens_shown", "closes_shown",
        "decision_shown", "money_shown", "reviews_wanted", "lay_reviews_wanted", "is_blind", "weights_shown",
        "to_do", "history_shown",
    ]  # fmt: skip
    readonly_fields = [
        "stage_shown", "about_shown", "priorities_shown", "opens_shown", "closes_shown", "decision_shown",
        "money_shown", "weights_shown", "to_do", "history_shown",
    ]  # fmt: skip
    add = verb(
        "add",
        form=forms.CallForm,
        action=actions.create_call,
        label="Add a call",
        permission=permissions.can_manage_call,
    )
    verbs = [
        verb(
            "edit", form=forms.CallForm, action=actions.edit_call, label="Edit",
            permission=permissions.can_manage_call, initial=forms.CallForm.initial_of, when=_is(Call.Status.DRAFT),
            success="The call is saved.",
        ),
        verb(
            "publish", action=actions.publish_call, label="Publish", permission=permissions.can_manage_call,
            when=_is(Call.Status.DRAFT), success="The call is published. Its weights are frozen.",
            intro="After this nothing but the closing time can be changed: text, criteria and weights are frozen.",
        ),
        verb(
            "extend", form=forms.ExtendForm, action=actions.extend_call, label="Give more time",
            permission=permissions.can_manage_call, when=_is(Call.Status.PUBLISHED),
            success="The closing time is moved.",
        ),
        verb(
            "start_assessment", action=actions.start_assessment, label="Start the assessment",
            permission=permissions.can_manage_call, when=lambda call: call.status == "published" and call.is_past,
            intro="After this nothing more is accepted, whatever the clock says.",
        ),
        verb(
            "move_to_panel", form=forms.PanelForm, action=actions.move_to_panel, label="Move to panel",
            permission=permissions.can_manage_call, when=_is(Call.Status.ASSESSMENT),
            intro="Every proposal in assessment goes to the panel. After this reviews can no longer be unlocked.",
        ),
        verb(
            "finish", action=actions.finish_call, label="Finish the call", permission=permissions.can_manage_call,
            when=_is(Call.Status.PANEL),
            intro="Every proposal must have a decision, and every applicant their feedback.",
        ),
        verb(
            "archive", action=actions.archive_call, label="Archive", permission=permissions.can_manage_call,
            when=_is(Call.Status.DECIDED),
        ),
    ]  # fmt: skip

    def get_queryset(self, request):
        received = Count("proposals", filter=Q(proposals__submitted_at__isnull=False))
        return super().get_queryset(request).annotate(received_count=received)

    @admin.display(description="state", ordering="status")
    def stage_shown(self, call):
        return call.stage

    @admin.display(description="proposals received", ordering="received_count")
    def received(self, call):
        return call.received_count

    @admin.display(description="what we are looking for")
    def about_shown(self, call):
        return render_markdown(call.about)

    @admin.display(description="opens")
    def opens_shown(self, call):
        return uk_datetime(call.opens_at)

    @admin.display(description="closes")
    def closes_shown(self, call):
        grace = int(call.grace.total_seconds() // 60)
        return f"{uk_datetime(call.closes_at)}, with {grace} minutes of grace" if grace else uk_datetime(call.closes_at)

    @admin.display(description="promised decision date")
    def decision_shown(self, call):
        return uk_date(call.decision_on)

    @admin.display(description="money")
    def money_shown(self, call):
        if not call.money_per_project:
            return questions.pounds(call.money_total)
        most = questions.pounds(call.money_per_project)
        return f"{questions.pounds(call.money_total)} in all, up to {most} for one proposal"

    @admin.display(description="priorities")
    def priorities_shown(self, call):
        return ", ".join(priority.title for priority in call.priorities.all()) or "None yet"

    @admin.display(description="weights")
    def weights_shown(self, call):
        weights = list(call.weights.select_related("criterion"))
        rows = ((weight.criterion, weight.weight) for weight in weights)
        total = sum(weight.weight for weight in weights)
        return format_html("<ul>{}</ul>Together: {}%", format_html_join("", "<li>{}: {}%</li>", rows), total)

    @admin.display(description="before it can be published")
    def to_do(self, call):
        if call.status != Call.Status.DRAFT:
            return "Nothing: it is published."
        problems = actions.publication_problems(call)
        if not problems:
            return "Nothing: it can be published."
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((problem,) for problem in problems)))

    @admin.display(description="history")
    def history_shown(self, call):
        return _history(call)

    def get_urls(self):
        ranking = path(
            "<path:object_id>/ranking/", self.admin_site.admin_view(self.ranking_view), name="proposals_call_ranking"
        )
        return [ranking, *super().get_urls()]

    def verb_links(self, request, obj):
        links = super().verb_links(request, obj)
        if obj.status in Call.AFTER_CLOSING:
            links.insert(0, ("Ranking", reverse("admin:proposals_call_ranking", args=[obj.pk])))
        return links

    def ranking_view(self, request, object_id):
        """All assessed proposals of a call, best raw mean first, with number of reviews and where they disagree."""
        call = self.get_object(request, object_id)
        if call is None or not permissions.can_manage_call(request.user, call):
            raise Http404
        proposals = Proposal.objects.filter(call=call).seen_by_staff(request.user).without_open_review_of(request.user)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Ranking: {call}",
            "opts": self.opts,
            "call": call,
            "lines": readings.ranking(call, proposals),
            "back_url": reverse("admin:proposals_call_change", args=[call.pk]),
        }
        return TemplateResponse(request, "proposals/admin_ranking.html", context)


def _history(subject):
    changes = subject.status_changes.select_related("by")
    labels = dict(type(subject).Status.choices)
    rows = (
        (labels.get(change.to_status, change.to_status), uk_datetime(change.at), change.by or "the portal")
        for change in changes
    )
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {}, {}</li>", rows)) or "Nothing yet"


# Proposals, for staff -------------------------------------------------------------------------------------------------
def _assign_kwargs(request, proposal):
    return {"possible": readings.possible_reviewers(proposal)}


def _assign_context(request, proposal):
    return {"possible": readings.possible_reviewers(proposal), "call": proposal.call}


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
    scores = Score.objects.filter(review__in=reviews).exclude(reason="").select_related("criterion")
    by_criterion = {}
    for score in scores.order_by("criterion__number", "review"):
        by_criterion.setdefault(score.criterion, []).append(score)
    return {"reasons": list(by_criterion.items()), "decision": proposal.decisions.last()}


def _release_context(request, proposal):
    decision = proposal.decisions.last()
    letter = getattr(decision, "letter", None)
    return {"letter": letter, "text": actions.letter_text(letter) if letter else ""}


def _has_unreleased_decision(proposal):
    decision = proposal.decisions.last()
    letter = getattr(decision, "letter", None)
    return decision is not None and not (letter and letter.is_released)


def _can_be_decided(proposal):
    has_panel = proposal.call.status in (Call.Status.PANEL, Call.Status.DECIDED)
    return has_panel and proposal.status in (Proposal.Status.AT_PANEL, Proposal.Status.RESERVE)


def _decide_initial(proposal):
    return {"amount": proposal.amount_asked, "lead_organisation": proposal.organisation_id}


@admin.register(Proposal)
class ProposalAdmin(ActionAdmin):
    list_display = ["reference", "title", "call_shown", "status", "organisation_shown", "reviews_shown"]
    list_display_links = ["reference", "title"]
    list_filter = ["status", ("call", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["call", "organisation"]
    search_fields = ["reference", "title", "organisation__name", "organisation_name"]
    ordering = ["-submitted_at", "-pk"]
    fields = [
        "reference", "title", "call", "status", "applicant_shown", "organisation_shown", "partners_shown",
        "lay_summary", "amount_shown", "evidence_level", "submitted_shown", "read_it", "screening_shown",
        "assignments_shown", "conflicts_shown", "decisions_shown", "project_shown", "history_shown",
    ]  # fmt: skip
    readonly_fields = [
        "applicant_shown", "amount_shown", "submitted_shown", "organisation_shown", "partners_shown", "read_it",
        "screening_shown", "assignments_shown", "conflicts_shown", "decisions_shown", "project_shown", "history_shown",
    ]  # fmt: skip
    verbs = [
        verb(
            "screen", form=forms.ScreenForm, action=actions.screen_proposal, label="Screen",
            permission=permissions.can_handle, when=_is(Proposal.Status.SUBMITTED, Proposal.Status.INELIGIBLE),
            intro="Does the proposal meet the rules of the call? Whether it is good is for the reviewers.",
        ),
        verb(
            "assign", form=forms.AssignForm, action=actions.assign_reviewers, label="Assign reviewers",
            permission=permissions.can_handle, form_kwargs=_assign_kwargs, context=_assign_context,
            when=_is(Proposal.Status.IN_ASSESSMENT), template="proposals/admin_assign.html",
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
            "release", action=actions.release_feedback, label="Release feedback", permission=permissions.can_handle,
            context=_release_context, when=_has_unreleased_decision, template="proposals/admin_release.html",
            success="The feedback is released and on its way.",
        ),
    ]  # fmt: skip

    def get_queryset(self, request):
        proposals = super(ReadOnlyAdmin, self).get_queryset(request).seen_by_staff(request.user)
        current = Q(assignments__status__in=[Assignment.Status.ASSIGNED, Assignment.Status.CLEARED])
        locked = Q(assignments__review__status=Review.Status.LOCKED)
        return proposals.annotate(
            assigned_count=Count("assignments", filter=current, distinct=True),
            locked_count=Count("assignments", filter=current & locked, distinct=True),
        )

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

    @admin.display(description="reviews locked", ordering="locked_count")
    def reviews_shown(self, proposal):
        return f"{proposal.locked_count} of {proposal.assigned_count}"

    @admin.display(description="applicant")
    def applicant_shown(self, proposal):
        return f"{proposal.applicant.display_name}, {proposal.applicant.email}"

    @admin.display(description="partners")
    def partners_shown(self, proposal):
        return ", ".join(partner.name for partner in proposal.partners.all()) or "None"

    @admin.display(description="the whole proposal")
    def read_it(self, proposal):
        url = reverse("proposals:proposal_copy", args=[proposal.address])
        return format_html('<a href="{}">Read the proposal</a>', url)

    @admin.display(description="screening")
    def screening_shown(self, proposal):
        rows = ((one, one.reason, one.screened_by, uk_datetime(one.screened_at)) for one in proposal.screenings.all())
        return _list("<li>{} {} ({}, {})</li>", rows, "Not screened yet")

    @admin.display(description="reviewers")
    def assignments_shown(self, proposal):
        rows = (
            (
                reverse("admin:proposals_assignment_change", args=[one.pk]),
                one.reviewer,
                " (lay)" if one.is_lay else "",
                one.get_status_display(),
                one.decline_reason,
            )
            for one in proposal.assignments.select_related("reviewer")
        )
        return _list('<li><a href="{}">{}</a>{}: {} {}</li>', rows, "Nobody assigned yet")

    @admin.display(description="conflicts of interest")
    def conflicts_shown(self, proposal):
        rows = (
            (
                reverse("admin:proposals_conflictofinterest_change", args=[one.pk]),
                one.user,
                one,
                "" if one.is_in_force else f", overridden: {one.override_reason}",
            )
            for one in proposal.conflicts.select_related("user")
        )
        return _list('<li><a href="{}">{}</a>: {}{}</li>', rows, "None known")

    @admin.display(description="decisions")
    def decisions_shown(self, proposal):
        rows = (
            (one, uk_datetime(one.decided_at), one.decided_by, one.reasons, one.conditions)
            for one in proposal.decisions.select_related("decided_by")
        )
        return _list("<li>{} ({}, {}). {} {}</li>", rows, "None yet")

    @admin.display(description="project")
    def project_shown(self, proposal):
        if proposal.project is None:
            return "None"
        return format_html('<a href="{}">{}</a>', proposal.project.get_absolute_url(), proposal.project)

    @admin.display(description="history")
    def history_shown(self, proposal):
        return _history(proposal)


def _list(line, rows, nothing):
    items = format_html_join("", line, rows)
    return format_html("<ul>{}</ul>", items) if items else nothing


@admin.register(ConflictOfInterest)
class ConflictOfInterestAdmin(ActionAdmin):
    list_display = ["proposal_shown", "user", "kind", "source", "recorded_at", "in_force"]
    list_filter = ["source", "kind"]
    list_select_related = ["proposal", "user"]
    fields = [
        "proposal_shown", "user", "kind", "source", "explanation", "recorded_by", "recorded_at", "overridden_at",
        "overridden_by", "override_reason",
    ]  # fmt: skip
    readonly_fields = ["proposal_shown"]
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


# Reviewers ------------------------------------------------------------------------------------------------------------
def _works_with_reviews(request) -> bool:
    return request.user.is_programme_staff or request.user.is_reviewer


def _declare_context(request, assignment):
    """What is needed to know of an interest: who, never what. In a blind call not even who."""
    proposal = assignment.proposal
    people = []
    if not proposal.call.is_blind:
        people = [
            ("Applicant", proposal.applicant.display_name),
            ("Lead organisation", proposal.applicant_organisation_name),
            ("Partners", ", ".join(partner.name for partner in proposal.partners.all()) or "None"),
        ]
    return {"people": people, "proposal": proposal}


def _after_declaring(assignment, result):
    review = Review.objects.filter(assignment=assignment).first()
    if result.status == Assignment.Status.CLEARED and review:
        return reverse("admin:proposals_review_score", args=[review.pk])
    return reverse("admin:proposals_assignment_changelist")


@admin.register(Assignment)
class AssignmentAdmin(ActionAdmin):
    """Proposals given to reviewers. Before a reviewer has declared no interest, only the number is shown."""

    list_display = ["reference_shown", "call_shown", "reviewer", "status", "due_on", "review_shown"]
    list_filter = ["status"]
    list_select_related = ["proposal__call", "reviewer", "review"]
    search_fields = ["proposal__reference"]  # the number only: a search over titles would tell what they say
    fields = ["reference_shown", "call_shown", "reviewer_shown", "is_lay", "status", "due_on", "decline_reason",
              "review_shown", "history_shown"]  # fmt: skip
    readonly_fields = ["reference_shown", "call_shown", "reviewer_shown", "review_shown", "history_shown"]
    verbs = [
        verb(
            "declare", form=forms.DeclareForm, action=actions.declare_interest, label="Declare interests",
            permission=permissions.can_answer_assignment, context=_declare_context,
            when=_is(Assignment.Status.ASSIGNED, Assignment.Status.CLEARED), template="proposals/admin_declare.html",
            success="Thank you. What you declared is recorded.", success_url=_after_declaring,
        ),
        verb(
            "decline", form=forms.DeclineForm, action=actions.decline_assignment, label="Decline",
            permission=permissions.can_answer_assignment,
            when=_is(Assignment.Status.ASSIGNED, Assignment.Status.CLEARED),
        ),
        verb(
            "take_back", action=actions.take_back_assignment, label="Take back",
            permission=permissions.can_handle_assignment,
            when=_is(Assignment.Status.ASSIGNED, Assignment.Status.CLEARED),
            intro="The reviewer can no longer see the proposal. A review that is not locked does not count.",
        ),
    ]  # fmt: skip

    def can_view(self, request, obj=None):
        return _works_with_reviews(request)

    @admin.display(description="proposal", ordering="proposal__reference")
    def reference_shown(self, assignment):
        return assignment.proposal.reference

    @admin.display(description="call")
    def call_shown(self, assignment):
        return assignment.proposal.call.title

    @admin.display(description="reviewer")
    def reviewer_shown(self, assignment):
        return assignment.reviewer

    @admin.display(description="review")
    def review_shown(self, assignment):
        review = getattr(assignment, "review", None)
        if review is None or assignment.status != Assignment.Status.CLEARED:
            return "Not begun"
        url = reverse("admin:proposals_review_change", args=[review.pk])
        return format_html('<a href="{}">{}</a>', url, review.get_status_display())

    @admin.display(description="history")
    def history_shown(self, assignment):
        return _history(assignment)


def _two_places(total) -> str:
    return "–" if total is None else f"{total:.2f}"


def _weights_of(review):
    weights = review.proposal.call.weights.select_related("criterion")
    return list(weights.prefetch_related("criterion__levels"))


def _review_kwargs(request, review):
    return {"weights": _weights_of(review)}


def _review_context(request, review):
    proposal = review.proposal
    blind = proposal.call.is_blind and not request.user.is_programme_staff
    return {
        "proposal": proposal,
        "call": proposal.call,
        "blind": blind,
        "sections": questions.shown(proposal.answers, questions.Choices(proposal.call), blind=blind),
        "totals": questions.shown_totals(proposal.answers),
        "attachments": proposal.attachments.visible_to(request.user),
        "stored_scores": review.scores.select_related("criterion"),
        "is_stale": request.method == "POST",
    }


@admin.register(Review)
class ReviewAdmin(ActionAdmin):
    """One's own reviews; others' only after one's own is locked and one has asked to see them."""

    list_display = ["proposal_shown", "reviewer", "status", "total_shown", "locked_at", "marked"]
    list_filter = ["status", ("proposal__call", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["proposal", "reviewer"]
    search_fields = ["proposal__reference", "proposal__title"]
    fields = ["proposal_shown", "reviewer_shown", "status", "total_shown", "scores_shown", "comment", "locked_at",
              "marked", "others_shown", "unlocks_shown", "history_shown"]  # fmt: skip
    readonly_fields = ["proposal_shown", "reviewer_shown", "total_shown", "scores_shown", "marked", "others_shown",
                       "unlocks_shown", "history_shown"]  # fmt: skip
    verbs = [
        verb(
            "score", form=forms.ReviewForm, action=actions.write_review, label="Read and score",
            permission=permissions.can_write_review, form_kwargs=_review_kwargs, initial=forms.ReviewForm.initial_of,
            context=_review_context, template="proposals/admin_review.html", success="Your review is saved.",
            when=lambda review: not review.is_locked and review.proposal.status == Proposal.Status.IN_ASSESSMENT,
            success_url=lambda review, result: reverse("admin:proposals_review_change", args=[review.pk]),
        ),
        verb(
            "show_others", action=actions.show_other_reviews, label="Show the other reviews",
            permission=permissions.can_write_review,
            when=lambda review: review.is_locked and review.others_seen_at is None,
            intro="You will see what the other reviewers have locked. After that only staff can unlock your review.",
            success="The other locked reviews of this proposal are now in your list.",
        ),
        verb(
            "unlock", form=forms.UnlockForm, action=actions.unlock_review, label="Unlock",
            permission=permissions.can_unlock_review,
            when=lambda review: review.is_locked and review.proposal.status == Proposal.Status.IN_ASSESSMENT,
            intro="The scores as they were locked are kept in the history.",
        ),
    ]  # fmt: skip

    def _page(self, request, one, obj, form):
        """A lock that was refused leads to what is missing."""
        if form is not None and form.is_bound and "lock" in request.POST and form.non_field_errors():
            form.show_missing()
        return super()._page(request, one, obj, form)

    def can_view(self, request, obj=None):
        return _works_with_reviews(request)

    @admin.display(description="proposal", ordering="proposal__reference")
    def proposal_shown(self, review):
        return f"{review.proposal.reference}: {review.proposal.title}"

    @admin.display(description="reviewer")
    def reviewer_shown(self, review):
        return review.reviewer

    @admin.display(description="total", ordering="total")
    def total_shown(self, review):
        return _two_places(review.total)

    @admin.display(description="mark")
    def marked(self, review):
        return "changed after seeing others" if review.is_changed_after_seeing_others else ""

    @admin.display(description="scores")
    def scores_shown(self, review):
        rows = ((score.criterion, score.shown, score.reason) for score in review.scores.select_related("criterion"))
        return _list("<li>{}: <strong>{}</strong>. {}</li>", rows, "No scores yet")

    @admin.display(description="other reviews")
    def others_shown(self, review):
        if review.others_seen_at is None:
            return "Hidden until you lock your own review and ask to see them"
        others = review.proposal.reviews.locked().exclude(pk=review.pk).select_related("reviewer")
        rows = ((reverse("admin:proposals_review_change", args=[one.pk]), one.reviewer) for one in others)
        return _list('<li><a href="{}">{}</a></li>', rows, "Nobody else has locked a review yet")

    @admin.display(description="unlocked before")
    def unlocks_shown(self, review):
        rows = (
            (
                uk_datetime(one.unlocked_at),
                one.unlocked_by,
                one.reason,
                "–" if one.total is None else f"{one.total:.2f}",
            )
            for one in review.unlocks.select_related("unlocked_by")
        )
        return _list("<li>{}, {}: {} (total until then {})</li>", rows, "Never")

    @admin.display(description="history")
    def history_shown(self, review):
        return _history(review)
