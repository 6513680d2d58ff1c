"""Who may do what with organisations, priorities and projects. `user` None is the portal itself."""

from projects.models import Organisation, ProjectLead


def can_manage(user, obj=None) -> bool:
    """Programme staff look after organisations, priorities and projects."""
    return user is None or (user.is_authenticated and user.is_programme_staff)


def can_edit_project(user, project) -> bool:
    """Its words, cycles and adoption: staff, and those who lead it today."""
    return can_manage(user) or leads(user, project)


def can_publish_words(user, project) -> bool:
    """Whether what this person writes is stored at once: staff, and leads while nobody else can read the page."""
    return can_manage(user) or (not project.is_public and leads(user, project))


def leads(user, project) -> bool:
    return user.is_authenticated and ProjectLead.objects.current().filter(user=user, project=project).exists()


def leads_any(user) -> bool:
    return ProjectLead.objects.current().filter(user=user).exists()


def can_claim(user) -> bool:
    return user.is_authenticated and user.is_active


def can_answer_claim(user, affiliation) -> bool:
    """Staff, and who is confirmed to sign for the organisation; but nobody confirms their own claim."""
    if user is None:
        return True
    return user.pk != affiliation.user_id and (can_manage(user) or signs_for(user, affiliation.organisation))


def signs_for(user, organisation) -> bool:
    """Whether the user is confirmed, today, to sign for the organisation."""
    return Organisation.objects.of_signatory(user).filter(pk=organisation.pk).exists()


def can_end_affiliation(user, affiliation) -> bool:
    return can_manage(user) or user.pk == affiliation.user_id
