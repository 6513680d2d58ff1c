"""What several admin pages show."""

from django.utils.html import format_html, format_html_join

from proposals import blinding, questions, readings
from psc_portal.common.templatetags.portal import uk_datetime


def status_is(*statuses):
    return lambda obj: obj.status in statuses


def history_of(subject):
    changes = subject.status_changes.select_related("by")
    labels = dict(type(subject).Status.choices)
    rows = (
        (labels.get(change.to_status, change.to_status), uk_datetime(change.at), change.by or "the portal")
        for change in changes
    )
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {}, {}</li>", rows)) or "Nothing yet"


def list_of(line, rows, nothing):
    items = format_html_join("", line, rows)
    return format_html("<ul>{}</ul>", items) if items else nothing


def earlier_of(conflict):
    """What was said of an interest before it was declared or recorded again, oldest first."""
    rows = (
        (
            said.get_source_display(),
            uk_datetime(said.recorded_at),
            f", {said.recorded_by}" if said.recorded_by else "",
            said.explanation or "no explanation",
            f" Overridden {uk_datetime(said.overridden_at)}, {said.overridden_by}: {said.override_reason}"
            if said.override_reason
            else "",
        )
        for said in conflict.earlier.all()
    )
    return list_of("<li>{}, {}{}: {}{}</li>", rows, "")


def text_of(request, proposal) -> dict:
    """What `_proposal_text.html` shows: a proposal as this user may read it, without names where the call is blind."""
    blind = proposal.call.is_blind and not request.user.is_programme_staff
    attachments = list(proposal.attachments.for_reader(blind=blind))
    return {
        "proposal": proposal,
        "title_of_proposal": blinding.title_of(proposal, blind=blind),
        "call": proposal.call,
        "blind": blind,
        "sections": questions.shown_of(proposal, attachments=attachments, blind=blind),
        "since": readings.since_last_time_of(proposal, blind=blind),
        "totals": questions.shown_totals(proposal.answers),
        "attachments": [one for one in attachments if not one.question],
    }


def names_told(proposal) -> list[tuple[str, str]]:
    """For staff of a blind call, before reviewers read it: the places that name someone, and whom."""
    return _in_words(questions.names_told(proposal)) if proposal.call.is_blind else []


def names_told_by_each(call, proposals) -> list[tuple[str, list[tuple[str, str]]]]:
    """The same for several proposals: each that names someone, by its number."""
    if not call.is_blind:
        return []
    return [(reference, _in_words(told)) for reference, told in questions.names_told_by_each(call, proposals).items()]


def _in_words(told) -> list[tuple[str, str]]:
    return [(place, ", ".join(names)) for place, names in told.items()]
