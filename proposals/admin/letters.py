"""The letters of a call: what is missing, a preview of all, and their release to everyone at once."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html

from proposals import actions, permissions
from proposals.models import Call
from proposals.readings.letters import decisions_with_letters, letter_counts, missing_for, missing_of
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.templatetags.portal import uk_date

PER_PAGE = 25
WITH_LETTERS = (Call.Status.PANEL, Call.Status.DECIDED)


class LetterPages:
    """Mixed into the admin of calls."""

    def get_urls(self):
        return [self.page_path("letters", self.letters_view), *super().get_urls()]

    def neighbours(self, call, here):
        url = reverse("admin:proposals_call_letters", args=[call.pk])
        return [*super().neighbours(call, here), ("Letters", url, url == here)]

    def verb_links(self, request, obj):
        links = super().verb_links(request, obj)
        if obj.status in WITH_LETTERS:
            links.insert(2, ("Release all letters", reverse("admin:proposals_call_letters", args=[obj.pk])))
        return links

    def letters_shown(self, call):
        """How many letters are missing, beside the date by which everyone was promised one."""
        if call.status not in WITH_LETTERS:
            return "None yet: there is no decision to write about"
        counts = letter_counts(call)
        url = reverse("admin:proposals_call_letters", args=[call.pk])
        by = uk_date(call.decision_on)
        if counts.missing:
            missing = "1 letter is" if counts.missing == 1 else f"{counts.missing} letters are"
            words = f"{missing} missing, promised by {by}"
        elif counts.waiting:
            words = f"All {counts.waiting} letters are written and not released, promised by {by}"
        else:
            words = f"Everyone has been told, promised by {by}"
        return format_html('<a href="{}">{}</a>', url, words)

    letters_shown.short_description = "letters"

    def letters_view(self, request, object_id):
        """All letters with what they lack; a POST releases them together."""
        call = self.call_or_404(request, object_id, with_ranking=False)
        if request.method == "POST":
            try:
                letters = actions.release_all_letters(call=call, by=request.user)
            except PermissionDenied:
                raise Http404
            except ActionRefused as refusal:
                messages.error(request, str(refusal))
            else:
                said = "1 letter is" if len(letters) == 1 else f"All {len(letters)} letters are"
                messages.success(request, f"{said} released and on the way. Each is sent once.")
            return HttpResponseRedirect(request.path)
        page = Paginator(decisions_with_letters(call, request.user), PER_PAGE).get_page(request.GET.get("page"))
        counts = letter_counts(call)
        missing = missing_for(request.user, call, counts) if counts.missing else []
        return self.call_page(
            request,
            call,
            "proposals/admin_letters.html",
            "Letters",
            page=page,
            rows=[self._row(request.user, decision) for decision in page.object_list],
            counts=counts,
            missing=missing,
            is_long=len(missing) > PER_PAGE,
            hidden=counts.missing - len(missing),
            may_release=permissions.can_release_all_letters(request.user, call),
        )

    @staticmethod
    def _row(user, decision) -> dict:
        letter = getattr(decision, "letter", None)
        return {
            "decision": decision,
            "proposal": decision.proposal,
            "letter": letter,
            "missing": [] if letter and letter.is_released else missing_of(decision, letter),
            "text": _text(letter, decision),
            "changed": _changed(letter, decision),
        }


def _text(letter, decision) -> str:
    if letter is None:
        return ""
    letter.decision = decision
    return actions.letter_text(letter)


def _changed(letter, decision) -> list[str]:
    return [] if letter is None or letter.is_released else actions.changed_since_edited(letter)
