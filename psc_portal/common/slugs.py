from django.utils.text import slugify

RESERVED = {
    "add", "apply", "board", "calendar", "create", "delete", "edit", "embed", "enter", "export", "feed", "feeds",
    "fit-check", "import", "latest", "new", "offers", "places", "register", "registered", "reminder", "report",
    "search", "sign-up", "trace", "write",
}  # fmt: skip


def is_reserved(slug: str) -> bool:
    return slug in RESERVED


def unique_slug(model, text: str, *, max_length: int = 80) -> str:
    """A slug made of `text` that no row of `model` has and no address needs. Slugs never change once public."""
    base = slugify(text)[: max_length - 4].strip("-") or model._meta.model_name
    if is_reserved(base):
        base = f"{base}-{model._meta.model_name}"
    taken = set(model._base_manager.filter(slug__startswith=base).values_list("slug", flat=True))
    slug, number = base, 2
    while slug in taken:
        slug, number = f"{base}-{number}", number + 1
    return slug
