"""Forms of calls, proposals and reviews: they turn input into clean values and hand them to actions."""

from proposals.forms.calls import CallForm, ExtendForm, PanelForm
from proposals.forms.drafts import AttachmentForm, SectionForm, SubmitForm, WithdrawForm
from proposals.forms.reviews import DeclareForm, DeclineForm, ReasonForm, ReviewForm, UnlockForm
from proposals.forms.staff import AssignForm, ConflictForm, DecideForm, FeedbackForm, OverrideForm, ScreenForm

__all__ = [
    "AssignForm",
    "AttachmentForm",
    "CallForm",
    "ConflictForm",
    "DecideForm",
    "DeclareForm",
    "DeclineForm",
    "ExtendForm",
    "FeedbackForm",
    "OverrideForm",
    "PanelForm",
    "ReasonForm",
    "ReviewForm",
    "ScreenForm",
    "SectionForm",
    "SubmitForm",
    "UnlockForm",
    "WithdrawForm",
]
