"""Encryption at rest of the secrets behind second factors, under a key derived from MFA_KEY (or SECRET_KEY)."""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def _fernet(secret: str) -> Fernet:
    derived = HKDF(hashes.SHA256(), length=32, salt=None, info=b"psc-portal second factor").derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))


def _keys() -> MultiFernet:
    """The newest key first: what older keys encrypted can still be read (Django's own SECRET_KEY_FALLBACKS)."""
    secrets = [settings.MFA_KEY, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([_fernet(secret) for secret in secrets if secret])


def encrypt(text: str) -> str:
    return _keys().encrypt(text.encode()).decode()


def decrypt(encrypted: str) -> str:
    """
    Raises:
        ImproperlyConfigured: the row was encrypted under a key that this installation does not have.
    """
    try:
        return _keys().decrypt(encrypted.encode()).decode()
    except InvalidToken as error:
        raise ImproperlyConfigured(
            "A second factor cannot be read with the present key: set MFA_KEY to the key it was stored with"
        ) from error
