"""Runs the whole portal with demonstration data until Ctrl-C; script/demo calls it after the set-up."""

import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import psycopg2

from psc_portal import local_servers

CONFIGURATION = local_servers.CHECKOUT / "script" / "supervisord.conf"


def main() -> None:
    port = chosen_port()
    address = os.environ.get("PORTAL_URL", f"http://localhost:{port}")
    with only_one():
        refuse_taken(port)
        set_environment(port, address)
        signal.signal(signal.SIGINT, end)
        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGHUP, end)  # the terminal was closed
        supervisor = None
        try:
            local_servers.start()
            print("Preparing the database", flush=True)
            forget_half_a_seed()
            manage("migrate", "--no-input", "--verbosity=0")
            seed()
            # In a session of its own, so that Ctrl-C reaches us alone and everything is stopped in order.
            supervisor = subprocess.Popen(supervisor_command("supervisord"), start_new_session=True)
            wait_until_ready(port, address, supervisor)
            announce(address)
            supervisor.wait()
            raise SystemExit("The supervisor has ended: see " + str(log_folder() / "supervisord.log"))
        except KeyboardInterrupt:
            print()
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"{' '.join(error.cmd[1:])} failed: see above")
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)  # let the stopping come to its end
            print("Stopping", flush=True)
            if supervisor:
                supervisor.terminate()
                supervisor.wait()
            local_servers.stop()


def stop() -> None:
    """End the demonstration of this checkout, also one whose terminal is gone."""
    set_sockets()
    if not is_supervised():
        raise SystemExit("The demonstration of this checkout does not run.")
    subprocess.run([*supervisor_command("supervisorctl"), "shutdown"], check=True, stdout=subprocess.DEVNULL)
    while is_supervised():
        time.sleep(0.1)
    print("Stopped")


def end(*_) -> None:
    raise KeyboardInterrupt


# Before ------------------------------------------------------------------------------------------------------------
def chosen_port() -> int:
    text = os.environ.get("PORT", "8000")
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise SystemExit(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise SystemExit(f"Port {port} needs an administrator. Choose one above 1023: PORT=8000 script/demo")
        except OSError:
            raise SystemExit(
                f"Port {port} is taken by another program. Choose another one: PORT={port + 1} script/demo"
            )


@contextmanager
def only_one():
    """One demonstration of this checkout at a time: two would share one database and one queue."""
    set_sockets()
    log_folder().mkdir(parents=True, exist_ok=True)
    with (local_servers.data_folder() / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit("The demonstration of this checkout runs already. To end it: script/demo stop")
        if is_supervised():  # by one that was killed and could not clean up
            stop()
        yield


def set_sockets() -> None:
    os.environ["PORTAL_DATA"] = str(local_servers.data_folder())
    os.environ["PORTAL_SOCKETS"] = str(local_servers.sockets_folder())
    # The supervisor reads these in every command, supervisorctl's too.
    os.environ["PORTAL_PYTHON"] = sys.executable
    os.environ["PORTAL_OWN_POSTGRES"] = str(local_servers.uses_own_postgres()).lower()
    os.environ["PORTAL_OWN_VALKEY"] = str(local_servers.uses_own_valkey()).lower()


def set_environment(port: int, address: str) -> None:
    """What web, worker and beat run with, kept beside the data so that manage.py reads the same."""
    settings = {"DEMO": "1", "PORTAL_URL": address, "SECRET_KEY": os.environ.get("SECRET_KEY") or kept_secret_key()}
    kept = local_servers.data_folder() / "demo.env"
    kept.touch(mode=0o600)
    kept.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    os.environ.update(settings, PORT=str(port), DJANGO_SETTINGS_MODULE="psc_portal.settings", PYTHONUNBUFFERED="1")
    os.chdir(local_servers.CHECKOUT)


def kept_secret_key() -> str:
    kept = local_servers.data_folder() / "demo.env"
    for line in kept.read_text().splitlines() if kept.exists() else []:
        if line.startswith("SECRET_KEY="):
            return line.partition("=")[2]
    return secrets.token_urlsafe(50)


def manage(*arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], check=True, start_new_session=True)


def seed() -> None:
    if is_empty():
        print("Writing the demonstration data: this takes a minute or two, the first time only", flush=True)
        seeding_mark().touch()
        manage("seed_demo")
        seeding_mark().unlink()


def forget_half_a_seed() -> None:
    """Begin again where the demonstration data was not written to its end, because of Ctrl-C, say."""
    if not seeding_mark().exists():
        return
    if not local_servers.uses_own_postgres():
        raise SystemExit("The demonstration data was not written to its end. Give an empty database as DATABASE_URL.")
    local_servers.make_database(anew=True)
    seeding_mark().unlink()


def seeding_mark() -> Path:
    return local_servers.data_folder() / "seeding"


def is_empty() -> bool:
    connection = psycopg2.connect(os.environ.get("DATABASE_URL") or local_servers.database_url())
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT NOT EXISTS (SELECT FROM accounts_user)")
        (answer,) = cursor.fetchone()
    connection.close()
    return answer


# The supervisor ----------------------------------------------------------------------------------------------------
def supervisor_command(program: str) -> list[str]:
    return [str(Path(sys.executable).with_name(program)), "-c", str(CONFIGURATION)]


def is_supervised() -> bool:
    return local_servers.answers(local_servers.sockets_folder() / "supervisor.sock")


def log_folder() -> Path:
    return local_servers.data_folder() / "log"


def wait_until_ready(port: int, address: str, supervisor: subprocess.Popen, seconds: int = 180) -> None:
    host = address.partition("://")[2].partition("/")[0]
    question = urllib.request.Request(f"http://127.0.0.1:{port}/healthz/ready", headers={"Host": host})
    give_up = time.monotonic() + seconds
    while supervisor.poll() is None and time.monotonic() < give_up:
        try:
            with urllib.request.urlopen(question, timeout=5):  # noqa: S310 our own address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SystemExit(f"The portal did not become ready within {seconds} seconds: see {log_folder()}")


def announce(address: str) -> None:
    print(f"\nThe portal runs at {address}\n", flush=True)
    manage("demo_code")
    print(f"\nLogs: {log_folder()}\nCtrl-C stops it. The data is kept: the next start takes seconds.", flush=True)


if __name__ == "__main__":
    {(): main, ("stop",): stop}.get(tuple(sys.argv[1:]), lambda: sys.exit("script/demo, or script/demo stop"))()
