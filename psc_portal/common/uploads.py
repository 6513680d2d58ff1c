"""Uploads are judged by their content, not by what they say they are."""

import zipfile
from pathlib import PurePath

import pypdf
from django.conf import settings
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from PIL import Image

KINDS = {  # kind -> (what people call it, endings, first bytes)
    "pdf": ("PDF", {".pdf"}, b"%PDF-"),
    "docx": ("Word (DOCX)", {".docx"}, b"PK\x03\x04"),
    "xlsx": ("Excel (XLSX)", {".xlsx"}, b"PK\x03\x04"),
    "png": ("PNG", {".png"}, b"\x89PNG\r\n\x1a\n"),
    "jpeg": ("JPEG", {".jpg", ".jpeg"}, b"\xff\xd8\xff"),
}
OFFICE_PART = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}
ZIP_MAX_MEMBERS = 2000
ZIP_MAX_BYTES = 200 * 1024 * 1024
MAX_PIXELS = 50_000_000


def check_upload(file, *, allowed=frozenset(KINDS), max_bytes: int | None = None) -> str:
    """Which of the allowed kinds `file` really is.

    Raises:
        ValidationError: too large, empty, of another kind, or not what its name says; the sentence names the file.
    """
    name = PurePath(file.name or "file").name
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
    file.seek(0)
    is_real = file.read(16).startswith(KINDS[kind][2])
    file.seek(0)
    if not is_real or not _opens(file, kind):
        raise ValidationError(f"“{name}” could not be read as {KINDS[kind][0]}. Save it again as {KINDS[kind][0]}.")
    file.seek(0)
    return kind


def _opens(file, kind: str) -> bool:
    try:
        if kind == "pdf":
            return len(pypdf.PdfReader(file).pages) > 0
        if kind in OFFICE_PART:
            return _is_office(file, OFFICE_PART[kind])
        with Image.open(file) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                return False
            picture.verify()
    except Exception:  # whatever the parser stumbles on, the file is not what it says
        return False
    return True


def _is_office(file, part: str) -> bool:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        return (
            len(members) <= ZIP_MAX_MEMBERS
            and sum(member.file_size for member in members) <= ZIP_MAX_BYTES
            and any(member.filename == part for member in members)
            and not any("vbaProject" in member.filename for member in members)
        )
