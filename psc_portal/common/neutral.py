"""Copies of files without what tells who made them: for readers who must not know whose work they read.

What stands on the pages of a document is its content and stays. Properties, authors of comments and changes, paths of
the author's computer, thumbnails and everything that programs note beside the text goes.
"""

import io
import re
import zipfile

import pypdf
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject, StreamObject

from psc_portal.common.uploads import PICTURES, drawn_again

DEEPEST = 2  # a workbook inside a document is made neutral too; what is deeper than that is emptied


def neutral_copy(file, kind: str) -> bytes:
    """`file`, which has passed `check_upload` as `kind`, without properties.

    Raises:
        Exception: whatever the parser stumbles on; the caller hands out nothing then.
    """
    file.seek(0)
    if kind in PICTURES:
        return drawn_again(file, kind)
    if kind == "pdf":
        return _neutral_pdf(file)
    return _neutral_office(file)


# PDF ------------------------------------------------------------------------------------------------------------------
TELLING = ("/Metadata", "/PieceInfo", "/LastModified", "/SpiderInfo", "/AF", "/Collection", "/Perms", "/DSS")
OF_A_SIGNATURE = {"/Sig", "/DocTimeStamp"}


def _neutral_pdf(file) -> bytes:
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(file))
    writer.metadata = None
    for found in writer._objects:
        if isinstance(found, DictionaryObject):
            _forget_authors(found)
    root = writer._root_object
    names = root.get("/Names", DictionaryObject()).get_object()
    names.pop("/EmbeddedFiles", None)
    writer.compress_identical_objects(remove_duplicates=False, remove_unreferenced=True)
    kept = io.BytesIO()
    writer.write(kept)
    return kept.getvalue()


def _forget_authors(found: DictionaryObject) -> None:
    for key in TELLING:
        found.pop(NameObject(key), None)
    if found.get("/Subtype") == "/FileAttachment" or found.get("/Type") in OF_A_SIGNATURE:
        found.clear()  # a signature carries the certificate of who signed
        return
    if found.get("/FT") == "/Sig":
        found.pop("/V", None)
    if "/Subtype" in found and ("/Rect" in found or found.get("/Type") == "/Annot") and "/FT" not in found:
        found.pop("/T", None)  # the author of a comment; of a form's field it is the field's own name
    for value in list(found.values()):
        _look_deeper(value)


def _look_deeper(value) -> None:
    """Dictionaries that stand inside others without a number of their own."""
    if isinstance(value, DictionaryObject) and not isinstance(value, StreamObject):
        _forget_authors(value)
    elif isinstance(value, ArrayObject):
        for one in value:
            if not isinstance(one, IndirectObject):
                _look_deeper(one)


# DOCX and XLSX --------------------------------------------------------------------------------------------------------
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
OF_PACKAGE = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
OF_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
EMPTY = {  # by a name space that only the part with these properties has
    OF_PACKAGE: f'{XML}<cp:coreProperties xmlns:cp="{OF_PACKAGE}"/>',
    f"{OF_OFFICE}/extended-properties": f'{XML}<Properties xmlns="{OF_OFFICE}/extended-properties"/>',
    f"{OF_OFFICE}/custom-properties": f'{XML}<Properties xmlns="{OF_OFFICE}/custom-properties"/>',
}
# attributes that name a person, whatever the prefix of their name space
NAMING = re.compile(r"""(\s(?:\w+:)?(?:author|initials|userId|providerId|userName)\s*=\s*)("[^"]*"|'[^']*')""")
OF_PERSONS = re.compile(r"""(\s(?:\w+:)?displayName\s*=\s*)("[^"]*"|'[^']*')""")  # a table has a displayName too
NAMING_PARTS = re.compile(
    r"(<(?:\w+:)?(author|creator|lastModifiedBy|Company|Manager|userName)(?:\s[^>]*)?>)[^<]*(</(?:\w+:)?\2>)"
)
PATHS = re.compile(r"<(?:\w+:)?absPath\b[^>]*?(?:/>|>.*?</(?:\w+:)?absPath>)", re.DOTALL)
DOC_VARS = re.compile(r"<w:docVars\b.*?</w:docVars>", re.DOTALL)
LOCAL_TARGET = re.compile(r'(\sTarget\s*=\s*)"(?:file:|[A-Za-z]:|\\\\|//|/Users/|/home/)[^"]*"')
PICTURE_KINDS = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg"}


def _neutral_office(file, depth: int = 1) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as copy:
        for member in archive.infolist():
            if member.is_dir():
                continue
            name = member.filename
            bare = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))  # no time, no system, no extra fields
            bare.compress_type = zipfile.ZIP_DEFLATED
            copy.writestr(bare, _neutral_part(name, archive.read(member), depth))
    return kept.getvalue()


def _neutral_part(name: str, part: bytes, depth: int) -> bytes:
    ending = name.rsplit(".", 1)[-1].lower()
    if name.startswith("docProps/") and ending != "xml":
        return b""  # a thumbnail of the first page
    if name.startswith("customXml/") and "item" in name and ending == "xml" and "Props" not in name:
        return f"{XML}<properties/>".encode()
    if ending in PICTURE_KINDS:
        return _neutral_picture(part, PICTURE_KINDS[ending])
    if ending in ("docx", "xlsx"):
        return _neutral_office(io.BytesIO(part), depth + 1) if depth < DEEPEST else b""
    if ending == "bin" or "printerSettings" in name or ending in ("docm", "xlsm", "doc", "xls"):
        return b""  # other programs' own formats: nobody can say what they hold
    if ending in ("xml", "rels", "vml", "psmdcp"):
        return _neutral_xml(name, part)
    return part


def _neutral_picture(part: bytes, kind: str) -> bytes:
    try:
        return drawn_again(io.BytesIO(part), kind)
    except Exception:  # not the picture that its name says
        return b""


def _neutral_xml(name: str, part: bytes) -> bytes:
    encoding = "utf-16" if part[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = part.decode(encoding)
    if not name.endswith(".rels") and name != "[Content_Types].xml":
        for name_space, empty in EMPTY.items():
            if name_space in text[:2000]:
                return empty.encode()
    text = NAMING.sub(r'\1"Author"', text)
    text = NAMING_PARTS.sub(r"\1Author\3", text)
    if "person" in name.lower() or "people" in name.lower():
        text = OF_PERSONS.sub(r'\1"Author"', text)
    text = DOC_VARS.sub("", PATHS.sub("", text))
    text = LOCAL_TARGET.sub(r'\1"removed"', text)
    return re.sub(r'^(<\?xml[^>]*encoding=)["\'][^"\']*["\']', r'\1"UTF-8"', text).encode()
