"""What keeps programs and floods from forms that need no account. Whoever is stopped reads why, and loses nothing."""

import hashlib

from allauth.account.adapter import get_adapter
from django import forms
from django.conf import settings
from django.core import signing
from django.core.cache import cache

from psc_portal.common import clock

QUICKEST = 2  # seconds: nobody reads and fills in a form faster
_shown_at = signing.Signer(salt="guards.shown-at")


def mark_of_now() -> str:
    """Says when a page was shown; nobody can make one up."""
    return _shown_at.sign(f"{clock.now().timestamp():.0f}")


class GuardedForm(forms.Form):
    """A form that anybody may send. Its layout puts "website" where nobody sees it: Div("website", hidden=True)."""

    website = forms.CharField(  # people never see this box; programs that fill in every box do
        label="Leave this box empty", required=False, widget=forms.TextInput({"autocomplete": "off", "tabindex": "-1"})
    )
    shown_at = forms.CharField(required=False, widget=forms.HiddenInput)
    GUARDS = ("website", "shown_at")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial["shown_at"] = mark_of_now()

    def clean(self):
        values = super().clean()
        if self.data.get("website"):
            self._put_back(website="")
            self.add_error(
                None,
                "A box that nobody sees was filled in, as programs do. We have emptied it. "
                "Check what you wrote and send it again.",
            )
        elif (seconds := self._seconds_taken()) is None or seconds < QUICKEST:
            if seconds is None:
                self._put_back(shown_at=self.initial["shown_at"])
            self.add_error(
                None, "This came faster than people write. Check what you wrote, count to three and send it again."
            )
        return {name: value for name, value in values.items() if name not in self.GUARDS}

    def _put_back(self, **values):
        self.data = self.data.copy()
        for name, value in values.items():
            self.data[name] = value

    def _seconds_taken(self) -> float | None:
        """None where the mark of the page is missing or forged."""
        try:
            shown_at = float(_shown_at.unsign(self.data.get("shown_at", "")))
        except (signing.BadSignature, ValueError):
            return None
        return clock.now().timestamp() - shown_at


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
