def can_write(user) -> bool:
    """Create, write, freeze, render and publish reports; read drafts."""
    return user.is_authenticated and (user.is_lead or user.is_programme_staff)
