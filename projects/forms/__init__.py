from projects.forms.consultations import (
    ConsultationForm,
    DecideForm,
    ExtendForm,
    RespondForm,
    WithholdForm,
)
from projects.forms.drivers import BoxForm
from projects.forms.events import (
    TOO_MANY_REGISTRATIONS,
    CancelEventForm,
    EditEventForm,
    EventFilters,
    EventForm,
    RegistrationForm,
)
from projects.forms.filters import ProjectFilters
from projects.forms.learning import (
    EditLearningResourceForm,
    EditOfferForm,
    LearningFilters,
    LearningResourceForm,
    OfferForm,
    ReviewResourceForm,
    TopicForm,
)
from projects.forms.organisations import (
    AnswerClaimForm,
    ClaimForm,
    EditOrganisationForm,
    MergeForm,
    NewOrganisationForm,
    RenameForm,
    SystemForm,
)
from projects.forms.priorities import PriorityForm, RetireForm
from projects.forms.projects import (
    AddLeadForm,
    AdoptionForm,
    EndLeadForm,
    NewProjectForm,
    PdsaCycleForm,
    ProjectForm,
    ProjectLeadForm,
    ProjectTextForm,
    StageForm,
)
from projects.forms.proposed import ApproveChangeForm, ReturnChangeForm
from projects.forms.spread import ContactForm, NearFilters, SpreadFilters
from projects.forms.subscriptions import SubscribeForm, SubscriptionChoices

__all__ = [
    "TOO_MANY_REGISTRATIONS",
    "AddLeadForm",
    "AdoptionForm",
    "AnswerClaimForm",
    "ApproveChangeForm",
    "BoxForm",
    "CancelEventForm",
    "ClaimForm",
    "ConsultationForm",
    "ContactForm",
    "DecideForm",
    "EditEventForm",
    "EditLearningResourceForm",
    "EditOfferForm",
    "EditOrganisationForm",
    "EndLeadForm",
    "EventFilters",
    "EventForm",
    "ExtendForm",
    "LearningFilters",
    "LearningResourceForm",
    "MergeForm",
    "NearFilters",
    "NewOrganisationForm",
    "NewProjectForm",
    "OfferForm",
    "PdsaCycleForm",
    "PriorityForm",
    "ProjectFilters",
    "ProjectForm",
    "ProjectLeadForm",
    "ProjectTextForm",
    "RegistrationForm",
    "RenameForm",
    "RespondForm",
    "RetireForm",
    "ReturnChangeForm",
    "ReviewResourceForm",
    "SpreadFilters",
    "StageForm",
    "SubscribeForm",
    "SubscriptionChoices",
    "SystemForm",
    "TopicForm",
    "WithholdForm",
]
