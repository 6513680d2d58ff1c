"""Organisations, priorities, projects and what they do."""

from projects.models.consultations import (
    Consultation,
    ConsultationAnswer,
    ConsultationQuerySet,
    ConsultationQuestion,
    ConsultationResponse,
)
from projects.models.events import (
    Event,
    EventQuerySet,
    EventStatusChange,
    Registration,
    RegistrationQuerySet,
    RegistrationStatusChange,
)
from projects.models.learning import (
    LearningResource,
    LearningResourceQuerySet,
    LearningTopic,
    Offer,
    OfferQuerySet,
)
from projects.models.organisations import (
    Affiliation,
    AffiliationQuerySet,
    AffiliationStatusChange,
    CareSetting,
    Organisation,
    OrganisationQuerySet,
    Succession,
    System,
    care_settings_field,
    organisations_of,
    settings_in_words,
)
from projects.models.priorities import Priority, PriorityQuerySet
from projects.models.projects import (
    EVIDENCE_LEVELS,
    PROJECT_TEXTS,
    Project,
    ProjectLead,
    ProjectLeadQuerySet,
    ProjectQuerySet,
    ProjectStatusChange,
)
from projects.models.proposed import ProposedChange, ProposedChangeQuerySet, ProposedChangeStatusChange
from projects.models.searching import JoinedWords, Searchable, SearchableManager
from projects.models.subscriptions import Subscription
from projects.models.work import Adoption, Driver, PdsaCycle

__all__ = [
    "EVIDENCE_LEVELS",
    "PROJECT_TEXTS",
    "Adoption",
    "Affiliation",
    "AffiliationQuerySet",
    "AffiliationStatusChange",
    "CareSetting",
    "Consultation",
    "ConsultationAnswer",
    "ConsultationQuerySet",
    "ConsultationQuestion",
    "ConsultationResponse",
    "Driver",
    "Event",
    "EventQuerySet",
    "EventStatusChange",
    "JoinedWords",
    "LearningResource",
    "LearningResourceQuerySet",
    "LearningTopic",
    "Offer",
    "OfferQuerySet",
    "Organisation",
    "OrganisationQuerySet",
    "PdsaCycle",
    "Priority",
    "PriorityQuerySet",
    "Project",
    "ProjectLead",
    "ProjectLeadQuerySet",
    "ProjectQuerySet",
    "ProjectStatusChange",
    "ProposedChange",
    "ProposedChangeQuerySet",
    "ProposedChangeStatusChange",
    "Registration",
    "RegistrationQuerySet",
    "RegistrationStatusChange",
    "Searchable",
    "SearchableManager",
    "Subscription",
    "Succession",
    "System",
    "care_settings_field",
    "organisations_of",
    "settings_in_words",
]
