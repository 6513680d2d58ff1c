from pathlib import Path

import pytest

from psc_portal.management.demo.people import PASSWORD, PEOPLE

README = (Path(__file__).resolve().parents[3] / "README.md").read_text()


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.key)
def test_readme_lists_the_log_in_of_every_demonstration_user(person):
    row = next(line for line in README.splitlines() if f"`{person.email}`" in line)

    assert row.endswith(f"| `{person.totp_secret}` |" if person.totp_secret else "| – |")


def test_readme_prints_the_password_of_the_demonstration():
    assert f"`{PASSWORD}`" in README
