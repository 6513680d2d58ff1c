import io
import zipfile

import pypdf
import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from psc_portal.common.uploads import check_upload


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
