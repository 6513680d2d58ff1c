"""Nothing in a file that reaches a reviewer of a blind call says who applied, but for what stands on its pages."""

import io
import zipfile

import pypdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image, PngImagePlugin
from pypdf.annotations import Text
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, TextStringObject

from proposals import actions
from proposals.models import Attachment, Proposal
from tests.factories.proposals import ProposalFactory, review_of

pytestmark = pytest.mark.django_db
NAME, HOUSE = "Zqlovelace", "Zqhospital"
SECRETS = [NAME.lower(), HOUSE.lower()]
CORE = (
    '<?xml version="1.0"?><cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
    f'core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>{NAME}</dc:creator><dc:title>{HOUSE}'
    f"</dc:title><cp:lastModifiedBy>{NAME}</cp:lastModifiedBy></cp:coreProperties>"
)
APP = (
    '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">'
    f"<Company>{HOUSE}</Company><Manager>{NAME}</Manager></Properties>"
)
CUSTOM = (
    '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties">'
    f"<property name='Owner'><vt:lpwstr>{NAME}</vt:lpwstr></property></Properties>"
)
XMP = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><dc:creator>{NAME} of {HOUSE}</dc:creator></x:xmpmeta>"


def test_a_file_that_cannot_be_handed_out_is_a_sentence_on_the_proposals_page(client_as, caplog):
    proposal = ProposalFactory(in_assessment=True, call__in_assessment=True, call__is_blind=True)
    kept = {"kind": "pdf", "size": 4, "uploaded_by": proposal.applicant, "uploaded_at": proposal.created_at}
    missing = Attachment.objects.create(proposal=proposal, name="gone.pdf", file="proposals/gone.pdf", **kept)
    broken = Attachment(proposal=proposal, name="broken.pdf", **kept)
    broken.file.save("broken.pdf", SimpleUploadedFile("broken.pdf", b"%PDF-"))
    reviewer, team = client_as(review_of(proposal).reviewer), client_as(proposal.applicant)

    asked = [(team, missing, "gone.pdf"), (reviewer, missing, "File 1.pdf"), (reviewer, broken, "File 2.pdf")]
    for client, file, name in asked:
        page = client.get(file.get_absolute_url(), follow=True)
        assert f"“{name}” cannot be opened at the moment." in page.content.decode()
        assert page.redirect_chain == [(proposal.get_absolute_url(), 302)]


def a_pdf() -> bytes:
    writer = pypdf.PdfWriter()
    page = writer.add_blank_page(200, 200)
    writer.add_metadata({"/Author": NAME, "/Title": f"Plan of {HOUSE}", "/Producer": HOUSE})
    for place in (writer._root_object, page):
        stream = DecodedStreamObject()
        stream.set_data(XMP.encode())
        stream[NameObject("/Type")], stream[NameObject("/Subtype")] = NameObject("/Metadata"), NameObject("/XML")
        place[NameObject("/Metadata")] = writer._add_object(stream)
    page[NameObject("/PieceInfo")] = DictionaryObject({NameObject("/Tool"): TextStringObject(NAME)})
    comment = Text(text="Is this right?", rect=(10, 10, 50, 50))
    comment[NameObject("/T")] = TextStringObject(NAME)
    writer.add_annotation(0, comment)
    kept = io.BytesIO()
    writer.write(kept)
    return kept.getvalue()


def zipped(**parts) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in {"[Content_Types].xml": "<Types/>", **parts}.items():
            archive.writestr(name, part)
    return kept.getvalue()


def a_docx() -> bytes:
    document = (
        '<w:document xmlns:w="w"><w:p>What stands on the page</w:p>'
        f'<w:ins w:id="1" w:author="{NAME}"><w:t>new</w:t></w:ins></w:document>'
    )
    return zipped(
        **{
            "word/document.xml": document,
            "docProps/core.xml": CORE,
            "docProps/app.xml": APP,
            "docProps/custom.xml": CUSTOM,
            "docProps/thumbnail.jpeg": a_jpeg(),
            "word/comments.xml": f"<w:comments><w:comment w:author='{NAME}' w:initials='{NAME}'/></w:comments>",
            "word/people.xml": f'<w15:people><w15:person w15:author="{NAME}"><w15:presenceInfo w15:userId="{NAME}"/>'
            "</w15:person></w15:people>",
            "word/_rels/settings.xml.rels": f'<R><R1 Target="file:///C:\\Users\\{NAME}\\x.dotx"/></R>',
            "word/media/image1.jpeg": a_jpeg(),
            "word/embeddings/sheet.xlsx": a_xlsx(),
            "customXml/item1.xml": f"<p><Owner>{NAME}</Owner></p>",
        }
    )


def a_xlsx() -> bytes:
    return zipped(
        **{
            "xl/workbook.xml": f'<workbook><fileSharing userName="{NAME}"/><x15ac:absPath url="C:\\Users\\{NAME}\\"/>'
            "</workbook>",
            "docProps/core.xml": CORE,
            "docProps/app.xml": APP,
            "xl/comments1.xml": f"<comments><authors><author>{NAME}</author></authors></comments>",
            "xl/persons/person.xml": f'<personList><person displayName="{NAME}" userId="{NAME}"/></personList>',
            "xl/tables/table1.xml": '<table displayName="Costs"/>',
            "xl/printerSettings/printerSettings1.bin": HOUSE.encode("utf-16"),
        }
    )


def a_jpeg() -> bytes:
    kept = io.BytesIO()
    exif = Image.Exif()
    exif[0x013B], exif[0x8298] = NAME, HOUSE  # artist, copyright
    Image.new("RGB", (8, 8)).save(kept, "JPEG", exif=exif, comment=NAME.encode())
    return kept.getvalue()


def a_png() -> bytes:
    kept, text = io.BytesIO(), PngImagePlugin.PngInfo()
    text.add_text("Author", NAME)
    text.add_itxt("XML:com.adobe.xmp", XMP)
    Image.new("RGBA", (8, 8)).save(kept, "PNG", pnginfo=text)
    return kept.getvalue() + HOUSE.encode()


FILES = {"pdf": a_pdf, "docx": a_docx, "xlsx": a_xlsx, "jpg": a_jpeg, "png": a_png}


def everything_in(content: bytes) -> str:
    """All that the bytes tell, with what is packed inside."""
    told = content.decode("latin-1") + content.decode("utf-16", errors="ignore")
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                told += name + everything_in(archive.read(name))
    if content.startswith(b"%PDF"):
        reader = pypdf.PdfReader(io.BytesIO(content))
        for number in reader.xref[0] | dict.fromkeys(reader.xref_objStm):
            found = reader.get_object(pypdf.generic.IndirectObject(number, 0, reader))
            told += str(found) + (found.get_data().decode("latin-1") if hasattr(found, "get_data") else "")
    return told.lower()


@pytest.mark.parametrize("is_stored_before", [False, True], ids=["made at upload", "made when asked for"])
@pytest.mark.parametrize("ending", FILES)
def test_no_name_in_a_file_reaches_a_reviewer_of_a_blind_call(client_as, ending, is_stored_before):
    proposal = ProposalFactory(call__is_blind=True)
    content = FILES[ending]()
    assert any(secret in everything_in(content) for secret in SECRETS)
    upload = SimpleUploadedFile(f"{NAME} {HOUSE}.{ending}", content)
    file = actions.add_attachment(proposal=proposal, by=proposal.applicant, file=upload)
    if is_stored_before:
        Attachment.objects.update(neutral_file="")
    Proposal.objects.update(
        status="in_assessment", reference="EM-2020-1", submitted_at=proposal.created_at, submitted_by=proposal.applicant
    )
    review = review_of(proposal)
    reader = client_as(review.reviewer)

    answer = reader.get(file.get_absolute_url())
    got = b"".join(answer.streaming_content)
    pages = [
        reader.get(reverse("proposals:proposal_detail", args=["EM-2020-1"])).content.decode(),
        reader.get(reverse("admin:proposals_review_score", args=[review.pk])).content.decode(),
    ]

    assert answer["Content-Disposition"] == f'attachment; filename="File 1.{ending}"'
    told = everything_in(got) + str(answer.headers).lower() + "".join(pages).lower()
    assert [secret for secret in SECRETS if secret in told] == []
    assert all("File 1." in page for page in pages)


def test_what_stands_on_the_pages_stays_and_the_copy_still_opens(client_as):
    from psc_portal.common.neutral import neutral_copy
    from psc_portal.common.uploads import check_upload

    for ending, make in FILES.items():
        kind = {"jpg": "jpeg"}.get(ending, ending)
        copy = neutral_copy(io.BytesIO(make()), kind)
        assert check_upload(SimpleUploadedFile(f"copy.{ending}", copy)) == kind
    with zipfile.ZipFile(io.BytesIO(neutral_copy(io.BytesIO(a_docx()), "docx"))) as archive:
        assert b"What stands on the page" in archive.read("word/document.xml")
    with zipfile.ZipFile(io.BytesIO(neutral_copy(io.BytesIO(a_xlsx()), "xlsx"))) as archive:
        assert b'displayName="Costs"' in archive.read("xl/tables/table1.xml")


def test_applicants_of_a_blind_call_are_told_not_to_name_themselves_inside_files(client_as):
    proposal = ProposalFactory(call__is_blind=True)
    url = reverse("proposals:draft_files", args=[proposal.call.slug, proposal.public_id])

    assert "Do not name yourself" in client_as(proposal.applicant).get(url).content.decode()


def test_several_files_are_taken_or_refused_each_by_itself(client_as):
    proposal = ProposalFactory()
    url = reverse("proposals:draft_files", args=[proposal.call.slug, proposal.public_id])
    files = [SimpleUploadedFile("good.png", a_png()), SimpleUploadedFile("bad.pdf", b"<html>")]

    page = client_as(proposal.applicant).post(url, {"file": files}).content.decode()

    assert "Added “good.png”." in page and "“bad.pdf” could not be read as PDF" in page
    stored = Attachment.objects.get()
    with stored.file.open("rb") as file:
        assert [secret for secret in SECRETS if secret in everything_in(file.read())] == []  # pictures: for nobody
