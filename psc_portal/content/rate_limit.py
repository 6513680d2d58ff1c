"""How often one address may send something without an account."""

import hashlib
import logging

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.cache import cache

logger = logging.getLogger(__name__)


def is_too_often(request, *, what: str, times: int, seconds: int) -> bool:
    """Whether this address has done `what` more than `times` in the running window of `seconds`.

    The address is kept as a keyed hash, and only as long as the window. When the cache is down nobody is refused.
    """
    address = get_adapter(request).get_client_ip(request)
    digest = hashlib.blake2b(address.encode(), key=settings.SECRET_KEY.encode()[:64], digest_size=16).hexdigest()
    key = f"rate:{what}:{digest}"
    try:
        cache.add(key, 0, timeout=seconds)
        return cache.incr(key) > times
    except Exception as error:
        logger.warning("rate limit for %s not checked: %s", what, error)
        return False
