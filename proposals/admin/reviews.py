"""Assignments and reviews in the admin, where reviewers work."""

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import F, Prefetch, Q, Value
from django.http import Http404, HttpResponseRedirect, JsonResponse
from django.urls import path, reverse
from django.utils.html import format_html

from proposals import actions, forms, merging, permissions, questions, readings
from proposals.admin.exports import CallOfProposalFilter, assignment_columns, review_columns
from proposals.admin.shown import history_of, list_of, status_is, text_of
from proposals.models import Assignment, ConflictOfInterest, CriterionWeight, Proposal, Review, Score
from proposals.readings.spreads import spreads_of
from psc_portal.common.admin import ActionAdmin, verb
from psc_portal.common.admin_exports import ExportAdmin
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.templatetags.portal import two_places, uk_clock, uk_datetime


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


def _thanks_for_declaring(assignment, result) -> str:
    if result.status == Assignment.Status.CONFLICTED:
        reference = assignment.proposal.reference
        return f"Thank you. There is an interest in {reference}, so you do not see, score or discuss it."
    return "Thank you. What you declared is recorded."


class SaysWhatIsTooLate:
    """What a reviewer opened in time and sent too late is answered by a sentence, not by a page that is not there."""

    key_of_assignment = "pk"  # by which an assignment is found from the row that the address names

    def verb_view(self, request, object_id, one):
        if request.method == "POST" and self.get_object(request, unquote(object_id)) is None:
            mine = Assignment.objects.filter(reviewer=request.user).select_related("proposal")
            if object_id.isdecimal() and (found := mine.filter(**{self.key_of_assignment: object_id}).first()):
                messages.warning(request, _why_too_late(found))
                return HttpResponseRedirect(reverse("admin:proposals_assignment_changelist"))
        return super().verb_view(request, object_id, one)


@admin.register(Assignment)
class AssignmentAdmin(SaysWhatIsTooLate, ExportAdmin, ActionAdmin):
    """Proposals given to reviewers. Before a reviewer has declared no interest, only the number is shown."""

    list_display = ["reference_shown", "call_shown", "reviewer", "status", "due_on", "review_shown"]
    list_filter = ["status"]
    list_select_related = ["proposal__call", "reviewer", "review"]
    search_fields = ["proposal__reference"]  # the number only: a search over titles would tell what they say
    fields = ["reference_shown", "call_shown", "reviewer_shown", "is_lay", "status", "due_on", "why_declined",
              "review_shown", "history_shown"]  # fmt: skip
    readonly_fields = [
        "reference_shown", "call_shown", "reviewer_shown", "why_declined", "review_shown", "history_shown",
    ]  # fmt: skip
    verbs = [
        verb(
            "declare", form=forms.DeclareForm, action=actions.declare_interest, label="Declare interests",
            permission=permissions.can_answer_assignment, context=_declare_context,
            when=status_is(Assignment.Status.ASSIGNED, Assignment.Status.CLEARED),
            template="proposals/admin_declare.html", success=_thanks_for_declaring,
            success_url=_after_declaring,
        ),
        verb(
            "decline", form=forms.DeclineForm, action=actions.decline_assignment, label="Decline",
            permission=permissions.can_answer_assignment,
            when=status_is(Assignment.Status.ASSIGNED, Assignment.Status.CLEARED),
            success=lambda one, result: f"You do not review {one.proposal.reference}. We ask somebody else.",
            success_url=lambda assignment, result: reverse("admin:proposals_assignment_changelist"),
        ),
        verb(
            "take_back", action=actions.take_back_assignment, label="Take back",
            permission=permissions.can_handle_assignment,
            when=status_is(Assignment.Status.ASSIGNED, Assignment.Status.CLEARED),
            intro="The reviewer can no longer see the proposal. A review that is not locked does not count.",
        ),
    ]  # fmt: skip

    def can_view(self, request, obj=None):
        return _works_with_reviews(request)

    def export_columns(self, request):
        return assignment_columns()

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
        return history_of(assignment)


def _why_too_late(assignment) -> str:
    """Why a reviewer can do nothing with it any more. Which interest it is would tell whose proposal this is."""
    reference, reviewer = assignment.proposal.reference, assignment.reviewer
    if assignment.status == Assignment.Status.DECLINED:  # the second of two clicks
        return f"You have declined to review {reference}. That is recorded."
    if (
        assignment.proposal.conflicts.in_force()
        .filter(user=reviewer, source=ConflictOfInterest.Source.DECLARED)
        .exists()
    ):
        return f"Your interest in {reference} is recorded: you do not see, score or discuss it."
    if Proposal.objects.filter(pk=assignment.proposal_id).clear_of_conflict_with(reviewer).exists():
        return f"{reference} is no longer with you: it was taken back or withdrawn. What you sent was not recorded."
    actions.infer_conflicts(proposals=[assignment.proposal], users=[reviewer])
    return (
        f"You do not review {reference}: since you opened the page, an interest of yours in it was found or recorded. "
        "What you sent was not recorded, and there is nothing that you need to do. If you think that this is a "
        f"mistake, write to {settings.COLLABORATIVE['email']}."
    )


def url_of_work(assignment) -> str:
    """Where a reviewer goes on with it: to the scores, or first to declare interests."""
    if assignment.status == Assignment.Status.CLEARED and hasattr(assignment, "review"):
        return reverse("admin:proposals_review_score", args=[assignment.review.pk])
    return reverse("admin:proposals_assignment_declare", args=[assignment.pk])


def _review_kwargs(request, review):
    return {"weights": review.proposal.call.weights.all(), "is_lay": review.assignment.is_lay}


# What a lay reviewer reads first; the rest is folded, one click away.
PLAIN_SECTIONS = {"about", "priorities", "benefits", "involvement", questions.OWN}


def _review_context(request, review):
    is_lay = review.assignment.is_lay
    shown = text_of(request, review.proposal)
    slugs = [one.section.slug for one in shown["sections"]]
    scores = review.scores.all()
    weighed = [weight.criterion_id for weight in review.proposal.call.weights.all()]
    following = readings.next_to_review(request.user, review.assignment)
    return shown | {
        "is_lay": is_lay,
        "lay_summary": _lay_summary(shown["sections"]) if is_lay else "",
        "folded": [slug for slug in slugs if slug not in PLAIN_SECTIONS] if is_lay else [],
        "stored_scores": scores,
        "done": sum(score.is_complete for score in scores),
        "due_on": review.assignment.due_on,
        "base": actions.page_base_of(review, weighed),
        "next_review": following,
        "next_url": following and url_of_work(following),
        "examples": readings.examples_to_score(request.user, review.proposal.call),
        "is_stale": request.method == "POST",
    }


def _lay_summary(sections) -> str:
    """Taken out of the section it stands in: it comes first."""
    for one in sections:
        for answer in one.answers:
            if answer.question.name == "lay_summary":
                one.answers.remove(answer)
                return answer.text
    return ""


def _clash(form, clash) -> dict:
    """Both texts of one answer, as the page's script shows them."""
    field = form.fields[clash.name]
    return {
        "name": clash.name,
        "label": field.label,
        "stored": dict(getattr(field, "choices", ())).get(clash.stored, clash.stored),
        "value": clash.stored,
        "mark": merging.digest(clash.stored),
    }


def _with_its_page(reviews, object_id) -> Review | None:
    """One of `reviews`, with what its page shows of proposal, call, scores and criteria, each fetched once."""
    rows = reviews.select_related("proposal__call", "proposal__organisation", "assignment").prefetch_related(
        Prefetch("scores", Score.objects.select_related("criterion")),
        Prefetch("proposal__call__weights", CriterionWeight.objects.select_related("criterion")),
        "proposal__call__weights__criterion__levels",
    )
    return rows.filter(pk=object_id).first() if str(object_id).isdecimal() else None


@admin.register(Review)
class ReviewAdmin(SaysWhatIsTooLate, ExportAdmin, ActionAdmin):
    """One's own reviews; others' only after one's own is locked and one has asked to see them."""

    key_of_assignment = "review"

    list_display = ["proposal_shown", "reviewer", "status", "total_shown", "spread_shown", "locked_at", "marked"]
    list_filter = ["status", CallOfProposalFilter]
    list_select_related = ["proposal__call", "reviewer"]
    list_only = ["status", "total", "locked_at", "is_changed_after_seeing_others", "proposal__reference",
                 "proposal__title", "proposal__call__is_blind", "reviewer__full_name", "reviewer__email"]  # fmt: skip
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

    def get_urls(self):
        autosave = path(
            "<path:object_id>/autosave/",
            self.admin_site.admin_view(self.autosave_view),
            name="proposals_review_autosave",
        )
        return [autosave, *super().get_urls()]

    def autosave_view(self, request, object_id):
        """What the page sends by itself. 409: it can no longer be written; 422: not with this text."""
        review = _with_its_page(Review.objects.filter(reviewer=request.user), unquote(object_id))
        if request.method != "POST" or review is None or not permissions.can_write_review(request.user, review):
            raise Http404
        form = forms.ReviewForm(data=request.POST, **_review_kwargs(request, review))
        if not form.is_valid() or form.cleaned_data["base"] is None:
            raise Http404
        values = {name: form.cleaned_data[name] for name in ("scores", "comment", "base", "sent")}
        try:
            saved = actions.autosave_review(review=review, by=request.user, **values)
        except ActionRefused as refusal:
            is_over = review.is_locked or review.proposal.status != Proposal.Status.IN_ASSESSMENT
            return JsonResponse({"problem": f"Not saved: {refusal}"}, status=409 if is_over else 422)
        clashes = [_clash(form, one) for one in saved.clashes]
        answer = {"saved_at": uk_clock(saved.review.saved_at), "version": saved.review.version, "base": saved.base}
        return JsonResponse(answer | {"clashes": clashes})

    def _page(self, request, one, obj, form):
        """A lock that was refused leads to what is missing."""
        if form is not None and form.is_bound and "lock" in request.POST and form.non_field_errors():
            form.show_missing()
        return super()._page(request, one, obj, form)

    def verb_links(self, request, obj):
        links = super().verb_links(request, obj)
        if obj.reviewer_id == request.user.pk and (following := readings.next_to_review(request.user, obj.assignment)):
            links.append((f"Next: {following.proposal.reference}", url_of_work(following)))
        return links

    def can_view(self, request, obj=None):
        return _works_with_reviews(request)

    def get_queryset(self, request):
        return (
            super()
            .get_queryset(request)
            .annotate(hides_names=Value(False) if request.user.is_programme_staff else F("proposal__call__is_blind"))
        )

    def get_object(self, request, object_id, from_field=None):
        return _with_its_page(self.get_queryset(request), object_id)

    def row_of_verb(self, request, object_id, one):
        """Only its own reviewer scores: whether they still may is what the permission asks."""
        if one.name == "score":
            return _with_its_page(Review.objects.filter(reviewer=request.user), object_id)
        return super().row_of_verb(request, object_id, one)

    def get_search_results(self, request, queryset, search_term):
        """A title may name people: in a blind call reviewers search by number only."""
        rows, may_repeat = super().get_search_results(request, queryset, search_term)
        if search_term and not request.user.is_programme_staff:
            rows = rows.filter(Q(proposal__call__is_blind=False) | Q(proposal__reference__icontains=search_term))
        return rows, may_repeat

    def with_figures(self, request, rows):
        spreads = spreads_of({review.proposal_id for review in rows}, request.user)
        for review in rows:
            review.spread = spreads.get(review.proposal_id, "–")
        return rows

    def export_columns(self, request):
        return review_columns(request.user)

    @admin.display(description="all reviews of it that you may see")
    def spread_shown(self, review):
        return review.spread

    @admin.display(description="proposal", ordering="proposal__reference")
    def proposal_shown(self, review):
        return (
            review.proposal.reference if review.hides_names else f"{review.proposal.reference}: {review.proposal.title}"
        )

    @admin.display(description="reviewer")
    def reviewer_shown(self, review):
        return review.reviewer

    @admin.display(description="total", ordering="total")
    def total_shown(self, review):
        return two_places(review.total)

    @admin.display(description="mark")
    def marked(self, review):
        return review.mark

    @admin.display(description="scores")
    def scores_shown(self, review):
        rows = ((score.criterion, score.shown, score.reason) for score in review.scores.all())
        return list_of("<li>{}: <strong>{}</strong>. {}</li>", rows, "No scores yet")

    @admin.display(description="other reviews")
    def others_shown(self, review):
        if review.others_seen_at is None:
            return "Hidden until you lock your own review and ask to see them"
        others = review.proposal.reviews.locked().exclude(pk=review.pk).select_related("reviewer")
        rows = (
            (reverse("admin:proposals_review_change", args=[one.pk]), one.reviewer, one.mark and f" ({one.mark})")
            for one in others
        )
        return list_of('<li><a href="{}">{}</a>{}</li>', rows, "Nobody else has locked a review yet")

    @admin.display(description="unlocked before")
    def unlocks_shown(self, review):
        rows = (
            (
                uk_datetime(one.unlocked_at),
                one.unlocked_by,
                one.reason,
                two_places(one.total),
            )
            for one in review.unlocks.select_related("unlocked_by")
        )
        return list_of("<li>{}, {}: {} (total until then {})</li>", rows, "Never")

    @admin.display(description="history")
    def history_shown(self, review):
        return history_of(review)
