import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
READS = re.compile(r"""(?:environ\.get\(|environ\[|flag\(|\benvironment\(|\$\{)\s*["']?([A-Z][A-Z_]+)""")
READERS = ["psc_portal/settings.py", "psc_portal/local_servers.py", "gunicorn.conf.py", "script/setup"]
READERS += ["tests/functional/conftest.py", "tests/functional/test_every_page.py"]
OF_OTHERS = {"PYENV_ROOT"}


def test_env_example_lists_exactly_the_settings_that_are_read():
    read = {name for reader in READERS for name in READS.findall((CHECKOUT / reader).read_text())} - OF_OTHERS

    listed = re.findall(r"^#?([A-Z][A-Z_]+)=", (CHECKOUT / ".env.example").read_text(), re.MULTILINE)

    assert sorted(listed) == sorted(set(listed))
    assert set(listed) == read
