import pytest
from django.core.exceptions import ImproperlyConfigured

from psc_portal.accounts import encryption


def test_what_is_encrypted_can_be_read_again_and_does_not_show_the_text():
    stored = encryption.encrypt("JBSWY3DPEHPK3PXP")

    assert "JBSWY3DP" not in stored
    assert encryption.decrypt(stored) == "JBSWY3DPEHPK3PXP"


def test_a_key_of_its_own_can_be_added_later_and_old_rows_stay_readable(settings):
    settings.MFA_KEY = ""
    stored = encryption.encrypt("an old secret")

    settings.MFA_KEY = "a new key, only for second factors"

    assert encryption.decrypt(stored) == "an old secret"
    assert encryption.decrypt(encryption.encrypt("a new one")) == "a new one"


def test_a_changed_secret_key_still_reads_what_a_fallback_encrypted(settings):
    stored = encryption.encrypt("kept")

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-0123456789-0123456789-0123456789"

    assert encryption.decrypt(stored) == "kept"


def test_a_row_under_an_unknown_key_says_what_to_set(settings):
    stored = encryption.encrypt("lost")

    settings.SECRET_KEY = "another-key-0123456789-0123456789-0123456789"

    with pytest.raises(ImproperlyConfigured, match="MFA_KEY"):
        encryption.decrypt(stored)
