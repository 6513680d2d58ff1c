"""Uploads are judged by their content, not by what they say they are."""

import io
import re
import unicodedata
import zipfile
from pathlib import PurePath

import pypdf
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.template.defaultfilters import filesizeformat
from PIL import Image, ImageOps
from pypdf.generic import DictionaryObject

KINDS = {  # kind -> (what people call it, endings, first bytes)
    "pdf": ("PDF", {".pdf"}, b"%PDF-"),
    "docx": ("Word (DOCX)", {".docx"}, b"PK\x03\x04"),
    "xlsx": ("Excel (XLSX)", {".xlsx"}, b"PK\x03\x04"),
    "png": ("PNG", {".png"}, b"\x89PNG\r\n\x1a\n"),
    "jpeg": ("JPEG", {".jpg", ".jpeg"}, b"\xff\xd8\xff"),
}
OFFICE_PART = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}
PICTURES = {"png", "jpeg"}
NAME_LENGTH = 200
ZIP_MAX_MEMBERS = 2000
ZIP_MAX_BYTES = 200 * 1024 * 1024  # unpacked, counted while unpacking: what the directory of a ZIP says may be a lie
ZIP_MAX_RATIO = 200  # honest XML packs 20 to 1, a bomb 1,000 to 1
ZIP_RATIO_FROM = 1024 * 1024
PDF_MAX_PAGES = 2000
MAX_PIXELS = 50_000_000
RUNNABLE = re.compile(r"\.(exe|dll|com|scr|bat|cmd|ps1|vbs|vbe|js|jse|wsf|hta|jar|msi|lnk)$", re.IGNORECASE)


class Unfit(Exception):
    """Why a file is refused: the end of a sentence that begins with its name."""


def clean_name(name: str) -> str:
    """The last part of a path without what cannot be seen: no control signs, nothing that turns the text round."""
    last = re.split(r"[/\\]", name or "")[-1]
    shown = "".join(sign for sign in unicodedata.normalize("NFC", last) if unicodedata.category(sign)[0] != "C")
    shown = " ".join(shown.split()).strip(". ") or "file"
    ending = PurePath(shown).suffix
    return shown if len(shown) <= NAME_LENGTH else shown[: NAME_LENGTH - len(ending)] + ending


def check_upload(file, *, allowed=frozenset(KINDS), max_bytes: int | None = None) -> str:
    """Which of the allowed kinds `file` really is.

    Raises:
        ValidationError: too large, empty, of another kind, or not what its name says; the sentence names the file.
    """
    name = clean_name(file.name)
    max_bytes = max_bytes or settings.UPLOAD_MAX_BYTES
    if not file.size:
        raise ValidationError(f"“{name}” is empty. Choose a file with content.")
    if file.size > max_bytes:
        raise ValidationError(
            f"“{name}” is {filesizeformat(file.size)}, more than the {filesizeformat(max_bytes)} allowed."
        )
    ending = PurePath(name).suffix.lower()
    kind = next((kind for kind in sorted(allowed) if ending in KINDS[kind][1]), None)
    if kind is None:
        names = ", ".join(KINDS[kind][0] for kind in sorted(allowed))
        raise ValidationError(f"“{name}” is not of a type that can be uploaded here. Choose one of: {names}.")
    called = KINDS[kind][0]
    unreadable = f"“{name}” could not be read as {called}. Save it again as {called}."
    file.seek(0)
    is_real = file.read(16).startswith(KINDS[kind][2])
    file.seek(0)
    if not is_real:
        raise ValidationError(unreadable)
    try:
        _look_inside(file, kind)
    except Unfit as reason:
        raise ValidationError(f"“{name}” {reason}")
    except Exception:  # whatever the parser stumbles on, the file is not what it says
        raise ValidationError(unreadable)
    file.seek(0)
    return kind


def without_metadata(file, kind: str):
    """What is stored of an upload: a picture is drawn again, so that where and with what it was taken stays behind."""
    if kind not in PICTURES:
        return file
    file.seek(0)
    return ContentFile(drawn_again(file, kind), name=file.name)


def drawn_again(file, kind: str) -> bytes:
    """The picture's dots and nothing else: no EXIF, no texts, no profile, nothing after its end."""
    with Image.open(file) as picture:
        upright = ImageOps.exif_transpose(picture)
        if kind == "jpeg":
            dots = upright if upright.mode in ("RGB", "L") else upright.convert("RGB")
        elif upright.mode == "P":
            dots = upright.convert("RGBA" if "transparency" in upright.info else "RGB")
        else:
            dots = upright
        bare = Image.new(dots.mode, dots.size)
        bare.paste(dots)
    kept = io.BytesIO()
    if kind == "jpeg":
        bare.save(kept, "JPEG", quality=92, optimize=True)
    else:
        bare.save(kept, "PNG", optimize=True)
    return kept.getvalue()


def _look_inside(file, kind: str) -> None:
    """
    Raises:
        Unfit: the file is of this kind, but carries what we do not take.
    """
    if kind == "pdf":
        _look_inside_pdf(file)
    elif kind in OFFICE_PART:
        _look_inside_office(file, kind)
    else:
        with Image.open(file, formats=[kind.upper()]) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise Unfit(f"has more than {MAX_PIXELS // 1_000_000} million dots. Make the picture smaller.")
            picture.verify()
        file.seek(0)
        with Image.open(file, formats=[kind.upper()]) as picture:
            picture.load()  # verify() of a JPEG looks at nothing but its head


def _look_inside_pdf(file) -> None:
    reader = pypdf.PdfReader(file)
    if reader.is_encrypted:
        raise Unfit("is protected with a password. Save it without one, then add it again.")
    count = len(reader.pages)
    if not count:
        raise ValueError("no pages")
    if count > PDF_MAX_PAGES:
        raise Unfit(f"has {count:,} pages. Add the pages that matter only.")
    root = reader.trailer["/Root"].get_object()
    names = root.get("/Names", DictionaryObject()).get_object()
    if "/JavaScript" in names or _runs(root.get("/OpenAction")) or "/AA" in root:
        raise Unfit("carries a script that runs when it is opened. Print it to a new PDF, then add that.")
    if "/EmbeddedFiles" in names:
        raise Unfit("has other files inside. Add each of them by itself.")
    file.seek(0)
    if zipfile.is_zipfile(file):
        raise Unfit("is a PDF and a ZIP archive at once. Print it to a new PDF, then add that.")


def _runs(action) -> bool:
    action = action.get_object() if action is not None else None
    return isinstance(action, DictionaryObject) and action.get("/S") in ("/JavaScript", "/Launch", "/ImportData")


def _look_inside_office(file, kind: str) -> None:
    called = KINDS[kind][0]
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        names = [member.filename for member in members]
        if archive.comment or not _ends_where_it_should(file, archive):
            raise Unfit(f"holds more than a {called} file. Save it again as {called}.")
        if len(members) > ZIP_MAX_MEMBERS or len(set(names)) != len(names):
            raise Unfit(f"is packed in an unusual way. Save it again as {called}.")
        if any(name.startswith("/") or "\\" in name or ".." in name.split("/") for name in names):
            raise Unfit(f"is packed in an unusual way. Save it again as {called}.")
        if any(member.flag_bits & 0x1 for member in members):
            raise Unfit("is protected with a password. Save it without one, then add it again.")
        if OFFICE_PART[kind] not in names or "[Content_Types].xml" not in names:
            raise ValueError("parts are missing")
        if any("vbaproject" in name.lower() or "activex" in name.lower() for name in names):
            raise Unfit(f"contains macros. Save it as {called} without macros.")
        if any(RUNNABLE.search(name) for name in names):
            raise Unfit(f"has a program inside. Take it out and save it again as {called}.")
        unpacked = 0
        for member in members:
            part = _unpack(archive, member, ZIP_MAX_BYTES - unpacked)
            unpacked += len(part)
            if member.filename.endswith((".xml", ".rels")):
                _look_at_part(member.filename, part, called)


def _unpack(archive, member, most: int) -> bytes:
    """The bytes of one part, read up to what is still allowed."""
    if member.file_size > ZIP_RATIO_FROM and member.file_size > ZIP_MAX_RATIO * max(member.compress_size, 1):
        raise Unfit("unpacks to far more than it should. Save it again, or make it smaller.")
    with archive.open(member) as part:
        read = part.read(most + 1)
    if len(read) > most:
        raise Unfit("unpacks to far more than it should. Save it again, or make it smaller.")
    return read


def _look_at_part(name: str, part: bytes, called: str) -> None:
    text = part.replace(b"\0", b"")  # UTF-16 too
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise Unfit(f"is packed in an unusual way. Save it again as {called}.")
    if name == "[Content_Types].xml" and b"macroenabled" in text.lower():
        raise Unfit(f"contains macros. Save it as {called} without macros.")


def _ends_where_it_should(file, archive) -> bool:
    """Nothing stands after the ZIP's own end: 22 bytes from the mark, since there is no comment."""
    file.seek(-22, io.SEEK_END)
    return file.read(4) == b"PK\x05\x06"
