"""What the pages of other apps show of calls and proposals: thread, search, and what waits for whom."""

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Subquery, Value, When
from django.urls import reverse

from proposals.models import Assignment, Call, CallStatusChange, Decision, Extension, Message, Proposal, Review
from psc_portal.common import clock
from psc_portal.common.registry import News, Source, Strand, ThreadItem, WaitingItem, joined
from psc_portal.common.templatetags.portal import uk_date, uk_datetime


def news(since, limit):
    """Calls that opened or were decided."""
    told = {Call.Status.PUBLISHED: "Call published", Call.Status.DECIDED: "Call decided"}
    changes = CallStatusChange.objects.filter(to_status__in=told, at__gte=since).select_related("subject")
    for change in changes.order_by("-at")[:limit]:
        yield News(change.at, told[change.to_status], change.subject.title, change.subject.get_absolute_url())


def thread(place, user):
    """Published calls, and proposals that were approved and released: nobody else's are ever named."""
    return [*_calls(place), *_funded(place)]


def _calls(place):
    named = Q(pk__in=place.known.get("call", []))
    if place.kind == "call":
        named |= Q(pk=place.pk)
    elif place.kind == "priority":
        named |= Q(priorities=place.pk)
    elif place.kind == "project":
        named |= Q(proposals__in=Proposal.objects.public().filter(project=place.pk).order_by().values("pk"))
    elif place.kind == "metric":
        promised = Proposal.objects.public().filter(benefits__metric=place.pk)
        named |= Q(proposals__in=promised.order_by().values("pk"))
    elif place.kind == "proposal":
        named |= Q(proposals=place.pk)
    elif not place.known.get("call"):
        return
    for call in Call.objects.published().filter(named).distinct().order_by("-closes_at", "pk")[:10]:
        yield ThreadItem("call", call.title, call.get_absolute_url(), call.stage.lower())


def _funded(place):
    named = Q(pk__in=place.known.get("proposal", []))
    if place.kind == "call":
        named |= Q(call=place.pk)
    elif place.kind == "project":
        named |= Q(project=place.pk)
    elif place.kind == "metric":
        named |= Q(benefits__metric=place.pk)
    elif place.kind == "proposal":
        named |= Q(pk=place.pk)
    elif not place.known.get("proposal"):
        return
    for proposal in Proposal.objects.public().filter(named).select_related("call").order_by("reference")[:10]:
        yield ThreadItem(
            "proposal", proposal.title, f"{proposal.call.get_absolute_url()}#{proposal.reference}", "funded"
        )


def programme(user):
    """Every published call. A call is for the whole region."""
    on = Call.priorities.through.objects.filter(call=OuterRef("pk")).order_by().values("priority")
    calls = Call.objects.published().defer("search", "about", "eligibility").annotate(on=ArraySubquery(on))
    for call in calls.order_by("-closes_at", "pk"):
        note = call.stage
        if call.is_open:
            note = f"Open until {uk_datetime(call.closes_at)}"
        elif call.is_upcoming:
            note = f"Opens {uk_datetime(call.opens_at)}"
        yield Strand(
            "call", call.pk, call.title, call.get_absolute_url(), note, priorities=tuple(call.on), systems=None
        )


def _funded_url(key: str) -> str:
    """Where the public reads of a funded proposal: among the funded ones of its call."""
    call, _, reference = key.partition("#")
    return f"{reverse('proposals:call_detail', args=[call])}#{reference}"


SOURCES = [
    Source(
        kind="call",
        many="Calls for proposals",
        rows=lambda user: Call.objects.published(),
        key=F("slug"),
        url=lambda slug: reverse("proposals:call_detail", args=[slug]),
        title=F("title"),
        text=joined("summary", Value(" "), "about"),
        changed_at=F("updated_at"),
        priorities="priorities",
    ),
    Source(
        kind="proposal",
        many="Funded proposals",
        rows=lambda user: Proposal.objects.public(),
        key=joined("call__slug", Value("#"), "reference"),
        url=_funded_url,
        title=F("title"),
        text=F("lay_summary"),
    ),
]


def waiting(user):
    """Drafts of mine, reviews that I owe, and for staff what is to be screened, decided or answered."""
    yield from _mine(user)
    if user.is_reviewer:
        yield from _reviews_due(user)
    yield from _answers(user)
    if user.is_programme_staff:
        yield from _for_staff(user)
        yield from _questions(user)


def _mine(user):
    """Drafts with their deadline first; then what was handed in, and drafts whose call closed before they were."""
    mine = Proposal.objects.of_team(user).exclude(status=Proposal.Status.WITHDRAWN).select_related("call")
    own = Extension.objects.filter(call=OuterRef("call"), applicant=OuterRef("applicant")).order_by("-closes_at")
    told = Decision.objects.filter(proposal=OuterRef("pk"), letter__released_at__isnull=False)
    mine = mine.annotate(extended_to=Subquery(own.values("closes_at")[:1]), is_told=Exists(told))
    mine = mine.order_by("call__closes_at", "pk")
    for proposal in mine[:50]:
        call = proposal.call
        is_extended = proposal.extended_to is not None and proposal.extended_to > call.accepts_until
        closes, until = (proposal.extended_to,) * 2 if is_extended else (call.closes_at, call.accepts_until)
        if proposal.status != Proposal.Status.DRAFT:
            note = f"{call.title}: {_where_it_stands(proposal)}"
            yield WaitingItem(str(proposal), proposal.get_absolute_url(), note, section="Your proposals")
        elif clock.now() < until:
            yield WaitingItem(
                title=proposal.title or "Untitled draft",
                url=reverse("proposals:draft", args=[call.slug, proposal.public_id]),
                note=f"{call.title}: submit before {uk_datetime(closes)}",
                due=closes.astimezone(clock.UK).date(),
                section="Your drafts",
            )
        else:
            note = f"{call.title}: not submitted, the call has closed. Your text is kept."
            title = proposal.title or "Untitled draft"
            yield WaitingItem(title, proposal.get_absolute_url(), note, section="Your proposals")


def _where_it_stands(proposal) -> str:
    """As far as its team may know."""
    if proposal.is_told:
        return "decided. Read the decision and the feedback there."
    if proposal.status == Proposal.Status.INELIGIBLE:
        return "not eligible. Read there why, and what you can do."
    promised = proposal.call.decision_on
    return f"decision by {uk_date(promised)}" + (": we are late" if clock.today() > promised else "")


def _reviews_due(user):
    open_ones = (
        Assignment.objects.visible_to(user)
        .filter(reviewer=user, proposal__status=Proposal.Status.IN_ASSESSMENT)
        .exclude(review__status=Review.Status.LOCKED)
        .select_related("proposal__call", "review")
        .order_by("due_on", "pk")
    )
    for assignment in open_ones:
        if assignment.status == Assignment.Status.CLEARED:
            url, note = reverse("admin:proposals_review_score", args=[assignment.review.pk]), "Read and score"
        else:
            url, note = reverse("admin:proposals_assignment_declare", args=[assignment.pk]), "Declare interests first"
        yield WaitingItem(
            title=f"Review {assignment.proposal.reference}",
            url=url,
            note=f"{assignment.proposal.call.title}. {note}",
            due=assignment.due_on,
            section="Reviews",
        )


def _for_staff(user):
    """What is to be screened, assigned, decided or answered: the next step of each proposal, in one query."""
    current = Q(assignments__status__in=["assigned", "cleared"])
    assigned = Count("assignments", filter=current, distinct=True)
    lay = Count("assignments", filter=current & Q(assignments__is_lay=True), distinct=True)
    untold = Decision.objects.filter(proposal=OuterRef("pk"), letter__released_at__isnull=True)
    step = Case(
        When(status=Proposal.Status.SUBMITTED, then=Value("screen")),
        When(
            Q(assigned__lt=F("call__reviews_wanted")) | Q(lay__lt=F("call__lay_reviews_wanted")),
            status=Proposal.Status.IN_ASSESSMENT,
            call__status__in=[Call.Status.PUBLISHED, Call.Status.ASSESSMENT],
            then=Value("assign"),
        ),
        When(status=Proposal.Status.AT_PANEL, call__status=Call.Status.PANEL, then=Value("decide")),
        When(Exists(untold), then=Value("feedback")),
        default=Value(""),
    )
    proposals = (
        Proposal.objects.seen_by_staff(user).annotate(assigned=assigned, lay=lay).annotate(step=step).exclude(step="")
    )
    proposals = list(proposals.select_related("call").order_by("reference")[:50])
    declined = _declined([proposal.pk for proposal in proposals if proposal.step == "assign"])
    for proposal in proposals:
        yield WaitingItem(
            title=f"{STEPS[proposal.step]} {proposal.reference}",
            url=reverse(f"admin:proposals_proposal_{proposal.step}", args=[proposal.pk]),
            note=f"{proposal.call.title}: {proposal.title}" + _declined_note(declined.get(proposal.pk, [])),
            due=proposal.call.decision_on,
            section="Proposals",
        )


def _answers(user):
    """What the programme wrote last, until the user has had the proposal's page open or the team writes back."""
    later = Message.objects.filter(proposal=OuterRef("proposal")).order_by("-sent_at", "-pk")
    newest = Message.objects.unread_by(user).filter(
        proposal__in=Proposal.objects.of_team(user).order_by().values("pk"), pk=Subquery(later.values("pk")[:1])
    )
    for message in newest.select_related("proposal__call").order_by("-sent_at")[:20]:
        proposal = message.proposal
        yield WaitingItem(
            title=f"We have written to you about {proposal.reference or 'your draft'}",
            url=f"{proposal.get_absolute_url()}#messages",
            note=f"{proposal.call.title}, {uk_datetime(message.sent_at)}",
            section="Messages",
        )


def _questions(user):
    """Questions of teams that nobody has answered, oldest first."""
    asked = Message.objects.unanswered().filter(proposal__in=Proposal.objects.answered_by(user).values("pk"))
    for message in asked.select_related("proposal__call").order_by("sent_at")[:50]:
        yield WaitingItem(
            title=f"Answer a question about {message.proposal.reference or 'a draft'}",
            url=reverse("admin:proposals_message_answer", args=[message.pk]),
            note=f"{message.proposal.call.title}, asked {uk_datetime(message.sent_at)}",
            section="Messages",
        )


def _declined(proposals) -> dict[int, list]:
    """Who said no, and why: someone else is wanted."""
    found = {}
    rows = Assignment.objects.filter(proposal__in=proposals, status=Assignment.Status.DECLINED)
    for one in rows.select_related("reviewer").order_by("pk") if proposals else ():
        found.setdefault(one.proposal_id, []).append(one)
    return found


def _declined_note(declined) -> str:
    return "".join(f". {one.reviewer.display_name} declined: {one.decline_reason}" for one in declined)


STEPS = {
    "screen": "Screen",
    "assign": "Assign reviewers to",
    "decide": "Decide on",
    "feedback": "Write feedback on",
}
