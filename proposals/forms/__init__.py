"""Forms of calls, proposals and reviews: they turn input into clean values and hand them to actions."""

from proposals.forms.calls import CallForm, CopyCallForm, ExtendForm, PanelForm
from proposals.forms.drafts import AttachmentForm, ResubmitForm, SectionForm, SubmitForm, WithdrawForm
from proposals.forms.fit_check import FitCheckForm
from proposals.forms.messages import CallAnswerForm, MessageForm, PublishAnswerForm, ReminderForm, WriteToTeamForm
from proposals.forms.reviews import DeclareForm, DeclineForm, ReasonForm, ReviewForm, UnlockForm
from proposals.forms.staff import (
    AssignAllForm,
    AssignForm,
    ConflictForm,
    DecideForm,
    FeedbackForm,
    OverrideForm,
    ScreenForm,
)

__all__ = [
    "AssignAllForm",
    "AssignForm",
    "AttachmentForm",
    "CallAnswerForm",
    "CallForm",
    "ConflictForm",
    "CopyCallForm",
    "DecideForm",
    "DeclareForm",
    "DeclineForm",
    "ExtendForm",
    "FeedbackForm",
    "FitCheckForm",
    "MessageForm",
    "OverrideForm",
    "PanelForm",
    "PublishAnswerForm",
    "ReasonForm",
    "ReminderForm",
    "ResubmitForm",
    "ReviewForm",
    "ScreenForm",
    "SectionForm",
    "SubmitForm",
    "UnlockForm",
    "WithdrawForm",
    "WriteToTeamForm",
]
