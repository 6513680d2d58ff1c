"""The annual report that the demonstration publishes, as a visitor gets it from the real stack."""

import json
import urllib.request

from psc_portal.annual_report.models import AnnualReport
from psc_portal.common.demonstration import SENTENCE
from tests.pdf_checks import assert_accessible, pdf_text


def test_the_demonstration_report_is_accessible_and_holds_the_numbers_of_its_snapshot(stack):
    report = AnnualReport.objects.published().earliest("published_at")  # another test may have published one since
    with urllib.request.urlopen(f"{stack.url}/reports/{report.year}/report.pdf") as answer:
        content = answer.read()

    pages = pdf_text(content)

    assert_accessible(content, by_verapdf=True)
    assert all(SENTENCE in page for page in pages)
    text = " ".join(pages)
    for metric in json.loads(report.snapshot.content)["metrics"]:
        assert metric["name"] in text
        assert metric["reading"]["sentence"] in text
