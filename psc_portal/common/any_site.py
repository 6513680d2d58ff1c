"""Addresses that programs in the pages of any other site may read. They never know who is logged in."""

from functools import wraps

from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt


def for_any_site(view):
    """Let other sites read what `view` answers (CORS), and answer when their browsers ask before they do.

    `view` must answer everybody alike: wrap it in `open_page`.
    """

    @csrf_exempt
    @wraps(view)
    def answer(request, *args, **kwargs):
        is_asking = request.method == "OPTIONS"
        response = HttpResponse(status=204) if is_asking else view(request, *args, **kwargs)
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Expose-Headers"] = "ETag"
        if is_asking:
            response["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
            response["Access-Control-Allow-Headers"] = "If-None-Match"
            response["Access-Control-Max-Age"] = "86400"
        return response

    answer.sees_no_log_in = True
    return answer
