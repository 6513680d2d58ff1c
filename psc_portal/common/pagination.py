from django.core.paginator import Page, Paginator


def paginate(request, rows, *, per_page: int = 25) -> Page:
    """The page that `?page=` asks for; nonsense shows the first, a number too high the last."""
    return Paginator(rows, per_page).get_page(request.GET.get("page"))
