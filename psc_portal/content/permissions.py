"""Who may do what with pages, documents and feedback."""


def can_edit(user, row=None) -> bool:
    """Programme staff run pages and documents."""
    return user.is_authenticated and user.is_programme_staff


def can_handle_feedback(user, feedback=None) -> bool:
    return user.is_authenticated and user.is_programme_staff
