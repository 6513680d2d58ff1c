"""The pages that every installation has from its first day, read from pages/*.md."""

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("pages")


@dataclass(frozen=True)
class EssentialPage:
    slug: str
    title: str
    summary: str
    body: str


def read_page(path: Path) -> EssentialPage:
    """A file begins with lines like "title: About us", then an empty line, then Markdown. The slug is the file's name
    unless a line says otherwise."""
    head, _, body = path.read_text(encoding="utf-8").partition("\n\n")
    fields = {name: value.strip() for name, _, value in (line.partition(":") for line in head.splitlines())}
    return EssentialPage(fields.get("slug", path.stem), fields["title"], fields.get("summary", ""), body.strip() + "\n")


def essential_pages() -> list[EssentialPage]:
    return [read_page(path) for path in sorted(FOLDER.glob("*.md"))]
