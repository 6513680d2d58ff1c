"""What calls, proposals and reviews hold of people. Whoever exports reads of proposals only what staff may read anyway:
no draft, and nothing of a proposal in which they have an interest. The person reads all of their own after logging in.
"""

from functools import partial

from proposals import models
from proposals.models.drafts import seen_by_staff
from psc_portal.common.personal_data import HISTORY, WORK, Held

RECORD = "Proposals, reviews and decisions stay as the record of how money was given, by “Erased person”."


def of_proposal(to):
    """Readable by who may see the proposal at the end of the path `to`."""
    return partial(seen_by_staff, to=to)


def _of(model, what, person, *shown, to="proposal__", kept=RECORD, **more):
    return Held(model, what, people=(person,), shown=shown, kept=kept, readable=of_proposal(to), **more)


HELD = [
    _of(
        models.Proposal,
        "proposals",
        "applicant",
        "reference",
        "title",
        "lay_summary",
        "answers",
        "organisation_name",
        "interests",
        "withdrawal_reason",
        "numbers_explained",
        "created_at",
        "submitted_at",
        to="",
    ),
    _of(models.Proposal, "proposals submitted", "submitted_by", "reference", "submitted_at", to=""),
    _of(models.DraftVersion, "versions of proposals saved", "saved_by", "proposal__reference", "number", "saved_at"),
    Held(
        models.Collaborator,
        "invitations to proposals received",
        people=("user",),
        addresses=("email",),
        shown=("proposal__reference", "email", "role", "created_at", "accepted_at", "left_at"),
        erased={"email": "erased@invalid"},
        kept=RECORD,
        readable=of_proposal("proposal__"),
    ),
    _of(models.Collaborator, "invitations to proposals sent", "invited_by", "proposal__reference", "created_at"),
    _of(models.Attachment, "files of proposals", "uploaded_by", "proposal__reference", "name", "uploaded_at"),
    _of(models.Message, "messages about proposals", "by", "proposal__reference", "text", "sent_at", kept=HISTORY),
    _of(models.MessagesRead, "messages read up to", "user", "proposal__reference", "until", kept="", is_deleted=True),
    Held(
        models.CallReminder,
        "reminders of calls",
        addresses=("email",),
        shown=("call__title", "email", "asked_at", "confirmed_at"),
        is_deleted=True,
    ),
    _of(models.Assignment, "reviews asked for", "reviewer", "proposal__reference", "due_on", "decline_reason"),
    _of(
        models.Review,
        "reviews",
        "reviewer",
        "proposal__reference",
        "status",
        "comment",
        "scores__criterion__title",
        "scores__value",
        "scores__reason",
        "locked_at",
    ),
    _of(
        models.ReviewUnlock,
        "reviews opened again",
        "unlocked_by",
        "unlocked_at",
        "reason",
        to="review__proposal__",
        kept=HISTORY,
    ),
    _of(
        models.ConflictOfInterest,
        "interests in proposals",
        "user",
        "proposal__reference",
        "kind",
        "source",
        "explanation",
        "recorded_at",
        "override_reason",
    ),
    _of(models.ConflictOfInterest, "interests recorded", "recorded_by", "proposal__reference", "recorded_at"),
    _of(models.ConflictOfInterest, "interests overridden", "overridden_by", "proposal__reference", "overridden_at"),
    _of(
        models.EarlierInterest,
        "interests recorded before",
        "recorded_by",
        "recorded_at",
        to="conflict__proposal__",
        kept=HISTORY,
    ),
    _of(
        models.EarlierInterest,
        "interests overridden before",
        "overridden_by",
        "overridden_at",
        to="conflict__proposal__",
        kept=HISTORY,
    ),
    _of(models.Screening, "screenings", "screened_by", "proposal__reference", "reason", "screened_at", kept=HISTORY),
    _of(models.Decision, "decisions", "decided_by", "proposal__reference", "reasons", "decided_at", kept=HISTORY),
    _of(models.FeedbackLetter, "letters written", "written_by", "created_at", to="decision__proposal__"),
    _of(models.FeedbackLetter, "letters released", "released_by", "released_at", to="decision__proposal__"),
    _of(
        models.PanelScore, "scores of panels noted", "by", "proposal__reference", "score", "reason", "at", kept=HISTORY
    ),
    Held(
        models.CalibrationScore, "scores of examples", ("reviewer",), shown=("value", "reason", "scored_at"), kept=WORK
    ),
    Held(models.Panel, "panels chaired", ("chair",), shown=("call__title", "held_on"), kept=RECORD),
    Held(models.Panel, "panels closed", ("closed_by",), shown=("call__title", "closed_at"), kept=RECORD),
    Held(
        models.PanelMember,
        "panels sat on",
        ("user",),
        shown=("panel__call__title", "is_lay", "is_present"),
        kept=RECORD,
    ),
    Held(models.PanelReopening, "panels opened again", ("by",), shown=("reason", "at"), kept=HISTORY),
    Held(models.PanelReopening, "panels closed before", ("closed_by",), shown=("closed_at",), kept=HISTORY),
    Held(models.Call, "calls made", ("created_by",), shown=("title", "created_at"), kept=WORK),
    Held(
        models.CallAnswer,
        "answers for everyone",
        ("published_by",),
        shown=("question", "answer", "published_at"),
        kept=WORK,
    ),
    Held(
        models.Extension,
        "more time received",
        ("applicant",),
        shown=("call__title", "closes_at", "reason"),
        kept=HISTORY,
    ),
    Held(
        models.Extension,
        "more time given",
        ("granted_by",),
        shown=("call__title", "reason", "granted_at"),
        kept=HISTORY,
    ),
]
