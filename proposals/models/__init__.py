"""Calls and their criteria, proposals and their drafts, reviews and scores, decisions and letters."""

from proposals.models.calls import (
    Call,
    CallQuestion,
    CallStatusChange,
    Criterion,
    CriterionSet,
    CriterionWeight,
    Extension,
    LevelDescriptor,
)
from proposals.models.decisions import CriterionFeedback, Decision, FeedbackLetter
from proposals.models.drafts import (
    Attachment,
    BudgetLine,
    Collaborator,
    DraftVersion,
    PromisedBenefit,
    Proposal,
    ProposalStatusChange,
    ReferenceCounter,
)
from proposals.models.reviews import (
    Assignment,
    AssignmentStatusChange,
    ConflictOfInterest,
    Review,
    ReviewStatusChange,
    ReviewUnlock,
    Score,
    Screening,
)

__all__ = [
    "Assignment",
    "AssignmentStatusChange",
    "Attachment",
    "BudgetLine",
    "Call",
    "CallQuestion",
    "CallStatusChange",
    "Collaborator",
    "ConflictOfInterest",
    "Criterion",
    "CriterionFeedback",
    "CriterionSet",
    "CriterionWeight",
    "Decision",
    "DraftVersion",
    "Extension",
    "FeedbackLetter",
    "LevelDescriptor",
    "PromisedBenefit",
    "Proposal",
    "ProposalStatusChange",
    "ReferenceCounter",
    "Review",
    "ReviewStatusChange",
    "ReviewUnlock",
    "Score",
    "Screening",
]
