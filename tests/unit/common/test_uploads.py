import io
import zipfile

import pypdf
import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from psc_portal.common.uploads import check_upload, clean_name


def pdf() -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def picture(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, kind)
    return stream.getvalue()


def archive(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name in names:
            file.writestr(name, "<xml/>")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("plan.pdf", pdf(), "pdf"),
        ("PLAN.PDF", pdf(), "pdf"),
        ("photo.jpg", picture("JPEG"), "jpeg"),
        ("chart.png", picture("PNG"), "png"),
        ("letter.docx", archive("word/document.xml", "[Content_Types].xml"), "docx"),
        ("costs.xlsx", archive("xl/workbook.xml", "[Content_Types].xml"), "xlsx"),
    ],
)
def test_a_file_is_known_by_its_content(name, content, kind):
    assert check_upload(SimpleUploadedFile(name, content)) == kind


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.pdf", b"", "empty"),
        ("script.exe", b"MZ" * 50, "not of a type"),
        ("page.svg", b"<svg/>", "not of a type"),
        ("really-a-page.pdf", b"<html></html>", "could not be read as PDF"),
        ("half.pdf", pdf()[:60], "could not be read as PDF"),
        ("photo.png", picture("JPEG"), "could not be read as PNG"),
        ("archive.docx", archive("readme.txt"), "could not be read as Word"),
        ("macros.xlsx", archive("xl/workbook.xml", "[Content_Types].xml", "xl/vbaProject.bin"), "contains macros"),
        ("big.pdf", b"%PDF-" + b"0" * 2000, "more than the"),
    ],
)
def test_what_a_file_is_not_is_refused_with_its_name(name, content, sentence):
    with pytest.raises(ValidationError) as refusal:
        check_upload(SimpleUploadedFile(name, content), max_bytes=1900)

    assert sentence in refusal.value.message
    assert name in refusal.value.message


def encrypted_pdf() -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def scripted_pdf() -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    script = {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")}
    writer.root_object[NameObject("/OpenAction")] = DictionaryObject(script)
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def packed(parts: dict) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, part in {"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>", **parts}.items():
            file.writestr(name, part)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("locked.pdf", encrypted_pdf(), "protected with a password"),
        ("script.pdf", scripted_pdf(), "carries a script"),
        ("both.pdf", pdf() + archive("a.txt"), "a PDF and a ZIP archive at once"),
        ("bomb.docx", packed({"word/bomb.xml": b"0" * 30_000_000}), "unpacks to far more"),
        ("tail.docx", packed({}) + b"more", "holds more than"),
        ("path.docx", packed({"../../etc/cron.d/x": "x"}), "packed in an unusual way"),
        ("entities.docx", packed({"word/x.xml": "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"}), "packed in an unusual way"),
        ("program.docx", packed({"word/setup.exe": "MZ"}), "has a program inside"),
        ("macros.docx", packed({"[Content_Types].xml": "<T macroEnabled='1'/>"}), "contains macros"),
    ],
)
def test_a_harmful_file_is_refused_with_its_name_and_the_reason(name, content, reason):
    with pytest.raises(ValidationError) as refusal:
        check_upload(SimpleUploadedFile(name, content))

    assert f"“{name}”" in refusal.value.message
    assert reason in refusal.value.message


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("C:\\Users\\Ada\\plan.pdf", "plan.pdf"),
        ("../../plan.pdf", "plan.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\r\nb\x00.pdf", "ab.pdf"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("", "file"),
    ],
)
def test_a_file_name_keeps_nothing_that_cannot_be_seen_and_no_path(sent, kept):
    assert clean_name(sent) == kept
