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
    """The daemon did not answer, or not with a verdict: the file stays unscanned and is asked about again."""


def is_set_up() -> bool:
    return bool(settings.CLAMD_URL)


def scan(file) -> str:
    """The name of the virus that was found in `file`; empty when there is none.

    Raises:
        ScannerUnavailable: no verdict, for whatever reason. Never taken as "clean".
    """
    try:
        with _connect() as talk:
            talk.sendall(b"zINSTREAM\0")
            file.seek(0)
            while chunk := file.read(CHUNK):
                talk.sendall(struct.pack("!I", len(chunk)) + chunk)
            talk.sendall(struct.pack("!I", 0))
            answer = _read(talk)
    except OSError as error:
        raise ScannerUnavailable(f"{type(error).__name__}: {error}") from error
    if answer == "stream: OK":
        return ""
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        return answer.removeprefix("stream: ").removesuffix(" FOUND")
    raise ScannerUnavailable(answer or "clamd closed the connection without a verdict")


def _connect() -> socket.socket:
    address = urlsplit(settings.CLAMD_URL)
    if address.scheme == "unix":
        talk = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        talk.settimeout(SECONDS)
        try:
            talk.connect(address.path)
        except OSError:
            talk.close()
            raise
        return talk
    if address.scheme == "tcp" and address.hostname:
        return socket.create_connection((address.hostname, address.port or 3310), timeout=SECONDS)
    raise ImproperlyConfigured("CLAMD_URL must be like tcp://clamav.example:3310 or unix:/run/clamav/clamd.ctl")


def _read(talk: socket.socket) -> str:
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < 4096 and (more := talk.recv(4096)):
        answer += more
    return answer.rstrip(b"\0").decode(errors="replace").strip()
