"""Forms of calls, proposals and reviews: they turn input into clean values and hand them to actions."""

from proposals.forms.call_questions import CallQuestionForm
from proposals.forms.calls import CallForm, CopyCallForm, DescribeLevelsForm, ExtendForm, PanelForm
from proposals.forms.collaborators import HandOverForm, InviteForm
from proposals.forms.drafts import (
    ResubmitForm,
    SectionForm,
    SubmitForm,
    WithdrawForm,
    present_answers,
    sent_answers,
)
from proposals.forms.files import AttachmentForm
from proposals.forms.fit_check import FitCheckForm
from proposals.forms.messages import CallAnswerForm, MessageForm, PublishAnswerForm, ReminderForm, WriteToTeamForm
from proposals.forms.panels import AttendanceForm, LetterForm, PanelItemForm, ReleaseForm, SetUpPanelForm, WeightingForm
from proposals.forms.reviews import CalibrationForm, DeclareForm, DeclineForm, ReasonForm, ReviewForm, UnlockForm
from proposals.forms.staff import (
    AssignAllForm,
    AssignForm,
    ConflictForm,
    DecideForm,
    ExampleForm,
    FeedbackForm,
    OverrideForm,
    ScreenForm,
)

__all__ = [
    "AssignAllForm",
    "AssignForm",
    "AttachmentForm",
    "AttendanceForm",
    "CalibrationForm",
    "CallAnswerForm",
    "CallForm",
    "CallQuestionForm",
    "ConflictForm",
    "CopyCallForm",
    "DecideForm",
    "DeclareForm",
    "DeclineForm",
    "DescribeLevelsForm",
    "ExampleForm",
    "ExtendForm",
    "FeedbackForm",
    "FitCheckForm",
    "HandOverForm",
    "InviteForm",
    "LetterForm",
    "MessageForm",
    "OverrideForm",
    "PanelForm",
    "PanelItemForm",
    "PublishAnswerForm",
    "ReasonForm",
    "ReleaseForm",
    "ReminderForm",
    "ResubmitForm",
    "ReviewForm",
    "ScreenForm",
    "SectionForm",
    "SetUpPanelForm",
    "SubmitForm",
    "UnlockForm",
    "WeightingForm",
    "WithdrawForm",
    "WriteToTeamForm",
    "present_answers",
    "sent_answers",
]
