"""The verbs of calls and proposals. Every write goes through here: pages, admin, tasks and the demonstration data."""

from proposals.actions.assigning import (
    assign_reviewers,
    assign_to_all,
    decline_assignment,
    remind_reviewers,
    take_back_assignment,
)
from proposals.actions.calls import (
    CallChanged,
    archive_call,
    copy_call,
    create_call,
    edit_call,
    extend_call,
    finish_call,
    move_to_panel,
    publication_problems,
    publish_call,
    start_assessment,
)
from proposals.actions.copying import make_copy, order_copy, sweep_copies
from proposals.actions.deciding import decide, letter_text, release_feedback, write_feedback
from proposals.actions.drafting import (
    DraftClash,
    add_attachment,
    remove_attachment,
    save_draft,
    start_proposal,
    submit_proposal,
    withdraw_proposal,
)
from proposals.actions.interests import (
    declare_interest,
    infer_all_conflicts,
    infer_conflicts,
    override_conflict,
    record_conflict,
)
from proposals.actions.messages import answer_message, ask_programme, edit_answer, publish_answer, write_to_team
from proposals.actions.reminding import (
    ask_for_reminder,
    confirm_reminder,
    remind_of_calls,
    remind_of_drafts,
    stop_reminder,
)
from proposals.actions.resubmitting import resubmit_proposal
from proposals.actions.reviewing import lock_review, save_review, show_other_reviews, unlock_review, write_review
from proposals.actions.screening import screen_proposal, send_to_panel

__all__ = [
    "CallChanged",
    "DraftClash",
    "add_attachment",
    "answer_message",
    "archive_call",
    "ask_for_reminder",
    "ask_programme",
    "assign_reviewers",
    "assign_to_all",
    "confirm_reminder",
    "copy_call",
    "create_call",
    "decide",
    "declare_interest",
    "decline_assignment",
    "edit_answer",
    "edit_call",
    "extend_call",
    "finish_call",
    "infer_all_conflicts",
    "infer_conflicts",
    "letter_text",
    "lock_review",
    "make_copy",
    "move_to_panel",
    "order_copy",
    "override_conflict",
    "publication_problems",
    "publish_answer",
    "publish_call",
    "record_conflict",
    "release_feedback",
    "remind_of_calls",
    "remind_of_drafts",
    "remind_reviewers",
    "remove_attachment",
    "resubmit_proposal",
    "save_draft",
    "save_review",
    "screen_proposal",
    "send_to_panel",
    "show_other_reviews",
    "start_assessment",
    "start_proposal",
    "stop_reminder",
    "submit_proposal",
    "sweep_copies",
    "take_back_assignment",
    "unlock_review",
    "withdraw_proposal",
    "write_feedback",
    "write_review",
    "write_to_team",
]
