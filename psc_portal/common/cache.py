"""The shared cache, and what happens while it is away."""

import logging
import time

import redis
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

logger = logging.getLogger(__name__)
TRY_AGAIN_SECONDS = 5


class ForgivingRedisCache(RedisCache):
    """Redis; while it does not answer, a memory of this process alone.

    Nobody gets an error page because a cache is down. The limits on log-in attempts and the one use of a code still
    hold, within each process; what was remembered in the meantime is forgotten when Redis is back.
    """

    _down_until = 0.0

    def __init__(self, server, params):
        super().__init__(server, params)
        self._memory = LocMemCache("while the shared cache is away", params)


def _forgiving(name):
    def method(self, *args, **kwargs):
        if time.monotonic() < ForgivingRedisCache._down_until:
            return getattr(self._memory, name)(*args, **kwargs)
        try:
            return getattr(RedisCache, name)(self, *args, **kwargs)
        except redis.exceptions.RedisError as error:
            logger.warning("the shared cache does not answer: %s", error)
            ForgivingRedisCache._down_until = time.monotonic() + TRY_AGAIN_SECONDS
            return getattr(self._memory, name)(*args, **kwargs)

    method.__name__ = name
    return method


for _name in (
    "add",
    "get",
    "set",
    "touch",
    "delete",
    "get_many",
    "set_many",
    "delete_many",
    "has_key",
    "incr",
    "clear",
):
    setattr(ForgivingRedisCache, _name, _forgiving(_name))
