"""Where a proposal stands and what has been written about it, as its team may know. Nothing of it is for reviewers."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q

from proposals.models import Proposal, Screening
from psc_portal.common import clock
from psc_portal.common.models import OutboxMessage
from psc_portal.common.templatetags.portal import uk_date

Status = Proposal.Status


class Progress(StrEnum):
    DONE = "Done"
    NOW = "Now"
    STOPPED = "Ended here"
    TO_COME = "To come"


@dataclass(frozen=True)
class Step:
    title: str
    progress: Progress
    at: dt.datetime | None = None
    note: str = ""


WAY = ("Submitted", "Checked", "In review", "Panel", "Decision", "Project")
STANDS_AT = {  # how many steps are behind a proposal with this status
    Status.DRAFT: 0,
    Status.SUBMITTED: 1,
    Status.INELIGIBLE: 1,
    Status.IN_ASSESSMENT: 2,
    Status.AT_PANEL: 3,
    Status.APPROVED: 5,
    Status.APPROVED_WITH_CONDITIONS: 5,
    Status.RESERVE: 4,
    Status.DECLINED: 4,
}
WHAT_WAS_DECIDED = {
    Status.APPROVED: "Approved",
    Status.APPROVED_WITH_CONDITIONS: "Approved, with conditions",
    Status.RESERVE: "On the reserve list",
    Status.DECLINED: "Not approved",
}


def steps_of(proposal: Proposal, *, project=None) -> list[Step]:
    """The way of a proposal from submission to project, with where it is now.

    Made of what the team may know: a decision counts from the release of its letter, with the date of that.

    Args:
        project: the project that it became, where this team may see it.
    """
    status = Status(proposal.status_for_team)
    changes = list(proposal.status_changes.all())
    if status == Status.WITHDRAWN:
        return _withdrawn(proposal, changes)
    decision = proposal.released_decision
    reached = {change.to_status: change.at for change in changes}
    checked = reached.get(Status.IN_ASSESSMENT) or reached.get(Status.INELIGIBLE)
    dates = [
        proposal.submitted_at,
        checked,
        reached.get(Status.AT_PANEL),
        None,
        decision.letter.released_at if decision else None,
    ]
    behind = STANDS_AT[status]
    if project:
        behind = len(WAY)
    steps = [
        Step(title, Progress.DONE if number < behind else Progress.TO_COME, _when(dates, number, behind))
        for number, title in enumerate(WAY)
    ]
    if status == Status.INELIGIBLE:
        steps[1] = Step(WAY[1], Progress.STOPPED, checked, "Not eligible for this call")
        return steps[:2]
    if decision:
        ends = status == Status.DECLINED
        progress = Progress.STOPPED if ends else Progress.NOW if status == Status.RESERVE else Progress.DONE
        steps[4] = Step(WAY[4], progress, decision.letter.released_at, WHAT_WAS_DECIDED[status])
        if ends:
            return steps[:5]
    if behind < len(WAY) and status != Status.RESERVE:
        steps[behind] = Step(WAY[behind], Progress.NOW, note=_about_now(proposal, status))
    return steps


def _when(dates, number, behind):
    return dates[number] if number < min(behind, len(dates)) else None


def _about_now(proposal, status) -> str:
    if status == Status.DRAFT:
        return "Not submitted yet"
    return {Status.SUBMITTED: "We check the rules of the call"}.get(status, "")


def _withdrawn(proposal, changes) -> list[Step]:
    """What had been reached, then the end. A decision that was never told is not told by this either."""
    behind = max((STANDS_AT.get(change.to_status, 0) for change in changes), default=0)
    reached = {change.to_status: change.at for change in changes}
    dates = [proposal.submitted_at, reached.get(Status.IN_ASSESSMENT), reached.get(Status.AT_PANEL)]
    done = [Step(WAY[number], Progress.DONE, dates[number]) for number in range(min(behind, len(dates)))]
    return [*done, Step("Withdrawn", Progress.STOPPED, reached.get(Status.WITHDRAWN))]


def promise_of(proposal: Proposal) -> str:
    """When the team has its decision; honest where the promised date has passed."""
    promised = proposal.call.decision_on
    if proposal.status_for_team not in (Status.SUBMITTED, Status.IN_ASSESSMENT, Status.AT_PANEL):
        return ""
    if clock.today() <= promised:
        return f"Decision and written feedback by {uk_date(promised)}."
    return (
        f"We promised a decision by {uk_date(promised)}. That date has passed and we are late: we are sorry. "
        "We tell you as soon as there is a decision. You can ask us about it below."
    )


# Correspondence -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Letter:
    """Something written between a team and the programme, word for word as it was sent."""

    at: dt.datetime
    heading: str
    text: str
    is_from_team: bool = False
    by: str = ""
    anchor: str = ""
    is_new: bool = False  # its reader has not had it on the page before
    is_folded: bool = False  # long, and not what people come back for: shown folded


def correspondence_of(proposal: Proposal, user) -> list[Letter]:
    """Receipt, messages, letters and reminders of a proposal, oldest first; what is new to this user is marked."""
    letters = [*_mails(proposal), *_messages(proposal, user), *_decisions(proposal)]
    if proposal.withdrawal_reason:
        change = proposal.status_changes.filter(to_status=Status.WITHDRAWN).last()
        if change:
            letters.append(Letter(change.at, "You withdrew it", proposal.withdrawal_reason, is_from_team=True))
    return sorted(letters, key=lambda letter: letter.at)


def _mails(proposal):
    """What was sent by itself, as it was sent. Where a mail is no longer stored, a screening still tells its result."""
    person = proposal.applicant_id
    headings = {f"proposals.received.{proposal.pk}": "Receipt"}
    for extension in proposal.call.extensions.all():
        headings[f"proposals.more_time.{extension.pk}.{person}"] = "More time"
    for file in proposal.attachments.all():
        headings[f"proposals.infected_file.{file.pk}.{person}"] = "A virus in a file"
        headings[f"proposals.unscanned_file.{file.pk}.{person}"] = "A file that could not be scanned"
    screenings, was_refused = {}, False
    for screening in Screening.objects.filter(proposal=proposal):
        if screening.is_eligible and not was_refused:
            continue
        was_refused = True
        key = f"proposals.{'eligible' if screening.is_eligible else 'ineligible'}.{screening.pk}"
        headings[key] = "Eligible after all" if screening.is_eligible else "Not eligible"
        screenings[key] = screening
    reminders = Q(key__startswith=f"proposals.unfinished.{proposal.pk}.")
    for mail in OutboxMessage.objects.filter(Q(key__in=headings) | reminders).order_by("pk"):
        is_receipt = mail.key.startswith("proposals.received.")
        screenings.pop(mail.key, None)
        yield Letter(mail.created_at, headings.get(mail.key, "Reminder"), mail.body, is_folded=is_receipt)
    for key, screening in screenings.items():
        text = "Your proposal is eligible after all." if screening.is_eligible else screening.explanation
        yield Letter(screening.screened_at, headings[key], text)


def _messages(proposal, user):
    unread = set(proposal.messages.unread_by(user).values_list("pk", flat=True))
    for message in proposal.messages.select_related("by"):
        yield Letter(
            message.sent_at,
            "Message from your team" if message.is_from_team else "Message from us",
            message.text,
            is_from_team=message.is_from_team,
            by=message.by.display_name if message.is_from_team else "",
            anchor=f"message-{message.pk}",
            is_new=message.pk in unread,
        )


def _decisions(proposal):
    for decision in proposal.decisions.all():
        letter = getattr(decision, "letter", None)
        if letter and letter.is_released:
            yield Letter(letter.released_at, "Decision and feedback", letter.sent_text, is_folded=True)
