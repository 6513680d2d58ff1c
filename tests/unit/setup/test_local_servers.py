from pathlib import Path

import pytest

from psc_portal import local_servers


def test_two_checkouts_have_data_folders_of_their_own(monkeypatch):
    monkeypatch.delenv("PORTAL_DATA", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 0)

    folders = set()
    for checkout in ("/srv/one", "/srv/two"):
        monkeypatch.setattr(local_servers, "CHECKOUT", Path(checkout))
        folders.add(local_servers.data_folder())

    assert len(folders) == 2
    assert {folder.parent for folder in folders} == {Path("/var/lib/psc-portal")}


def test_data_of_an_ordinary_user_stays_in_the_checkout(monkeypatch):
    monkeypatch.delenv("PORTAL_DATA", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    assert local_servers.data_folder() == local_servers.CHECKOUT / "var"


@pytest.mark.parametrize(("length", "is_moved"), [(60, False), (300, True)])
def test_sockets_leave_a_folder_whose_path_is_too_long_for_them(monkeypatch, length, is_moved):
    folder = Path("/" + "x" * length)
    monkeypatch.setenv("PORTAL_DATA", str(folder))

    sockets = local_servers.sockets_folder()

    assert (sockets != folder) is is_moved
    assert len(str(sockets / "postgres" / local_servers.POSTGRES_SOCKET)) < 104


def test_demo_environment_yields_to_what_is_set_already(monkeypatch, tmp_path):
    monkeypatch.setenv("PORTAL_DATA", str(tmp_path))
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("PORTAL_URL", "https://mine.example")
    monkeypatch.delenv("DEMO", raising=False)
    (tmp_path / "demo.env").write_text("SECRET_KEY=abc=def\nDEMO=1\nPORTAL_URL=http://localhost:8000\n")

    local_servers.load_demo_environment()

    import os

    assert [os.environ[name] for name in ("SECRET_KEY", "DEMO", "PORTAL_URL")] == [
        "abc=def",
        "1",
        "https://mine.example",
    ]
