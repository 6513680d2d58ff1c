"""Asks ClamAV's daemon whether a file carries a virus, where CLAMD_URL names one.

The daemon is spoken to by its INSTREAM command: the file goes over the socket, so it need not share a disk with us.
"""

import socket
import struct
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

SECONDS = 30
CHUNK = 64 * 1024


class ScannerUnavailable(Exception):
    """The daemon does not answer: whatever waits goes on waiting and is asked about again."""


class NoVerdict(Exception):
    """The daemon answers, but not about this file: it is too large, or too much. Others may be fine."""


class TooLarge(NoVerdict):
    """It is beyond the daemon's `StreamMaxLength`: asking again changes nothing."""


def is_set_up() -> bool:
    return bool(settings.CLAMD_URL)


def scan(file) -> str:
    """The name of the virus that was found in `file`; empty when there is none.

    Raises:
        ScannerUnavailable, NoVerdict: neither is ever taken as "clean". What reading `file` raises is passed on.
    """
    file.seek(0)
    with _connect() as talk:
        answer = _ask_about(file, talk)
    if answer == "stream: OK":
        return ""
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        return answer.removeprefix("stream: ").removesuffix(" FOUND")
    if "size limit exceeded" in answer:
        raise TooLarge(answer)
    if _is_listening():
        raise NoVerdict(answer or "clamd closed the connection without a verdict")
    raise ScannerUnavailable(answer or "clamd closed the connection and no longer answers")


def _ask_about(file, talk: socket.socket) -> str:
    """Its answer; empty where there is none. It hangs up on a file that it does not want, at times after saying why."""
    is_heard = _say(talk, b"zINSTREAM\0")
    while is_heard and (chunk := file.read(CHUNK)):
        is_heard = _say(talk, struct.pack("!I", len(chunk)) + chunk)
    if is_heard:
        _say(talk, struct.pack("!I", 0))
    return _read(talk)


def _is_listening() -> bool:
    try:
        with _connect() as talk:
            return _say(talk, b"zPING\0") and _read(talk) == "PONG"
    except ScannerUnavailable:
        return False


def _say(talk: socket.socket, said: bytes) -> bool:
    try:
        talk.sendall(said)
    except OSError:
        return False
    return True


def _connect() -> socket.socket:
    address = urlsplit(settings.CLAMD_URL)
    try:
        if address.scheme == "unix":
            return _connect_unix(address.path)
        if address.scheme == "tcp" and address.hostname:
            return socket.create_connection((address.hostname, address.port or 3310), timeout=SECONDS)
    except OSError as error:
        raise ScannerUnavailable(f"{type(error).__name__}: {error}") from error
    raise ImproperlyConfigured("CLAMD_URL must be like tcp://clamav.example:3310 or unix:/run/clamav/clamd.ctl")


def _connect_unix(path: str) -> socket.socket:
    talk = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    talk.settimeout(SECONDS)
    try:
        talk.connect(path)
    except OSError:
        talk.close()
        raise
    return talk


def _read(talk: socket.socket) -> str:
    answer = b""
    try:
        while not answer.endswith(b"\0") and len(answer) < 4096 and (more := talk.recv(4096)):
            answer += more
    except OSError:
        pass  # what has come so far may say why
    return answer.rstrip(b"\0").decode(errors="replace").strip()
