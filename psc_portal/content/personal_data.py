"""What pages, documents and feedback hold of people."""

from psc_portal.common.personal_data import HISTORY, WORK, Held
from psc_portal.content.models import Answer, Edition, Feedback, PageVersion

GONE = "Erased."

HELD = [
    Held(
        Feedback,
        "feedback given",
        addresses=("email",),
        shown=("reference", "created_at", "page", "message", "name", "email", "numbers_explained", "status", "reply"),
        erased={"name": "", "email": "", "message": GONE, "numbers_explained": "", "note": "", "reply": ""},
        kept="What we published about it is in our own words and names nobody: that stays.",
    ),
    Held(
        Answer, "answers to feedback published", people=("by",), shown=("you_said", "we_did", "published_at"), kept=WORK
    ),
    Held(PageVersion, "texts of pages", people=("by",), shown=("page__slug", "number", "title", "at"), kept=HISTORY),
    Held(Edition, "documents added", people=("by",), shown=("document__title", "title", "published_on"), kept=WORK),
]
