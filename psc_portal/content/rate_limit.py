"""How often one address may send something without an account."""

import hashlib

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.cache import cache


def is_too_often(request, *, what: str, times: int, seconds: int) -> bool:
    """Whether this address has done `what` more than `times` in the running window of `seconds`.

    The address is kept as a keyed hash, and only as long as the window.
    """
    address = get_adapter(request).get_client_ip(request)
    digest = hashlib.blake2b(address.encode(), key=settings.SECRET_KEY.encode()[:64], digest_size=16).hexdigest()
    key = f"rate:{what}:{digest}"
    cache.add(key, 0, timeout=seconds)
    try:
        return cache.incr(key) > times
    except ValueError:  # the window has ended between these two lines
        return False
