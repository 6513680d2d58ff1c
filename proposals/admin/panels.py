"""The panel's page of a call: attendance, agenda, scores and decisions in one place, and the minutes."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponseRedirect
from django.urls import reverse

from proposals import actions, forms, permissions
from proposals.models import Call, Panel, Proposal
from proposals.readings.letters import is_anyone_told
from proposals.readings.panel import agenda_of, items_of, money_of
from proposals.readings.ranking import analysed_for
from psc_portal.common.admin import verb
from psc_portal.common.files import attachment_response
from psc_portal.common.refusals import ActionRefused

PER_PAGE = 25
GONE = "Nothing was recorded: that proposal is no longer on this page of the agenda. It was withdrawn, or it has moved."
WITH_PANEL = (Call.Status.ASSESSMENT, Call.Status.PANEL)

PANEL_VERBS = [
    verb(
        "set_up_panel",
        form=forms.SetUpPanelForm,
        action=actions.set_up_panel,
        label="Set up the panel",
        permission=permissions.can_manage_call,
        initial=forms.SetUpPanelForm.initial_of,
        when=lambda call: (
            call.status in WITH_PANEL and getattr(getattr(call, "panel", None), "closed_at", None) is None
        ),
        success="The panel is set up.",
        success_url=lambda call, result: reverse("admin:proposals_call_panel", args=[call.pk]),
    ),
    verb(
        "close_panel",
        action=actions.close_panel,
        label="Close the panel",
        permission=permissions.can_manage_call,
        when=lambda call: call.status == Call.Status.PANEL and hasattr(call, "panel") and call.panel.closed_at is None,
        intro="After this the panel scores and decides nothing more, and its minutes are made. Until the first letter "
        "is released, the panel can be reopened with a reason: its next minutes are then another version.",
        success="The panel is closed. Its minutes are being made: reload this page in a minute.",
        success_url=lambda call, result: reverse("admin:proposals_call_panel", args=[call.pk]),
    ),
    verb(
        "reopen_panel",
        form=forms.ReasonForm,
        action=actions.reopen_panel,
        label="Reopen the panel",
        permission=permissions.can_manage_call,
        when=lambda call: (
            call.status == Call.Status.PANEL
            and hasattr(call, "panel")
            and call.panel.closed_at is not None
            and not is_anyone_told(call)
        ),
        intro="What is decided stays decided. Date, chair, members, attendance and weighting can be put right. Close "
        "the panel again afterwards: new minutes are made, which say why. The minutes of before are kept.",
        success="The panel is open again. Close it when everything is right: its new minutes are made then.",
        success_url=lambda call, result: reverse("admin:proposals_call_panel", args=[call.pk]),
    ),
]


class PanelPages:
    """Mixed into the admin of calls."""

    def get_urls(self):
        pages = [
            ("panel", self.panel_view),
            ("attendance", self.attendance_view),
            ("minutes", self.minutes_view),
        ]
        return [self.page_path(name, view) for name, view in pages] + super().get_urls()

    def neighbours(self, call, here):
        url = reverse("admin:proposals_call_panel", args=[call.pk])
        return [*super().neighbours(call, here), ("Panel", url, url == here)]

    def verb_links(self, request, obj):
        links = super().verb_links(request, obj)
        if obj.status in Call.AFTER_CLOSING:
            links.insert(1, ("Panel", reverse("admin:proposals_call_panel", args=[obj.pk])))
        return links

    def panel_view(self, request, object_id):
        """The agenda. One form holds all items: a button saves its own item, and what is typed in others stays."""
        call = self.call_or_404(request, object_id)
        panel = Panel.objects.select_related("chair", "closed_by").filter(call=call).first()
        analysed = analysed_for(call)
        ranges = {"with_analysis": analysed.analysis is not None and not analysed.is_hidden}
        lines, statuses = agenda_of(call, request.user, **ranges)
        page = Paginator(lines, PER_PAGE).get_page(request.GET.get("page"))
        items = items_of(call, panel, page.object_list, request.user, **ranges)
        is_open = panel is not None and panel.closed_at is None and call.status == Call.Status.PANEL
        bound = request.POST if request.method == "POST" else None
        item_forms = {
            item.proposal.pk: forms.PanelItemForm(bound, item=item) if is_open and item.is_open else None
            for item in items
        }
        failed = None
        if bound is not None:
            answer, failed = self._save_item(request, call, items, item_forms)
            if answer is not None:
                return answer
            if failed is None:  # saved, while something else is typed and not saved: show the page as it is now
                items = items_of(call, panel, page.object_list, request.user, **ranges)
                item_forms |= {
                    item.proposal.pk: forms.PanelItemForm(item=item) if is_open and item.is_open else None
                    for item in items
                    if item.proposal.pk == self._posted(request)[1]
                }
        return self.call_page(
            request,
            call,
            "proposals/admin_panel.html",
            "Panel",
            panel=panel,
            analysed=analysed,
            members=list(panel.members.select_related("user")) if panel else [],
            page=page,
            rows=[(item, item_forms[item.proposal.pk], item.proposal.pk == failed) for item in items],
            failed_form=item_forms.get(failed),
            is_open=is_open,
            undecided=sum(statuses[line.pk] == Proposal.Status.AT_PANEL for line in lines),
            hidden=self._hidden(call, lines),
            money=money_of(call),
            criteria=[(one, (panel.weights or {}).get(one["code"]) if panel else None) for one in call.field_weights],
            minutes=self._minutes(request.user, call, panel),
            reopenings=list(panel.reopenings.select_related("by")) if panel else [],
            may_read_minutes=panel is not None and permissions.can_read_minutes(request.user, panel),
            verbs=self.verb_links_of(request, call, [one.name for one in PANEL_VERBS]),
        )

    def verb_links_of(self, request, call, names):
        offered = [one for one in self.verbs if one.name in names and one.is_offered(request.user, call)]
        return [(one.label, self.verb_url(one, call)) for one in offered]

    @staticmethod
    def _hidden(call, lines) -> int:
        """How many items are not for this user: said as a number, never by name."""
        whole = call.proposals.filter(status__in=(Proposal.Status.AT_PANEL, *Proposal.DECIDED)).count()
        return whole - len(lines)

    # One item ---------------------------------------------------------------------------------------------------------
    @staticmethod
    def _posted(request) -> tuple[str, int | None]:
        for name in ("score", "decide"):
            if (pk := request.POST.get(name, "")).isdecimal():
                return name, int(pk)
        return "", None

    def _save_item(self, request, call, items, item_forms):
        """(response, None) after a save; (None, None) where other text must stay; (None, pk) of an item that failed."""
        name, pk = self._posted(request)
        if pk is None:
            raise Http404
        others = [one for key, one in item_forms.items() if one is not None and key != pk]
        for other in others:
            other.full_clean()
            other._errors = {}  # typed, not sent: nothing is said of it yet
        item = next((item for item in items if item.proposal.pk == pk), None)
        if item is None:
            if not call.proposals.seen_by_staff(request.user).filter(pk=pk).exists():
                raise Http404
            messages.error(request, GONE)
            return None, None
        form = item_forms[pk]
        if form is None:  # decided or closed since this page was opened
            form = forms.PanelItemForm(request.POST, item=item)
            item_forms[pk] = form
        try:
            done = self._act_on(name, item, form, request.user)
        except PermissionDenied:
            raise Http404
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
            return None, pk
        if not done:
            return None, pk
        messages.success(request, done)
        still_typed = any(other.has_changed() for other in others) or self._typed_beside(name, form)
        if still_typed:
            return None, None
        query = f"?page={request.GET['page']}" if request.GET.get("page", "").isdigit() else ""
        return HttpResponseRedirect(f"{request.path}{query}#item-{pk}"), None

    @staticmethod
    def _typed_beside(name, form) -> bool:
        """A decision that is being written while the score is saved."""
        return name == "score" and bool(set(form.changed_data) - set(form.SCORING))

    @staticmethod
    def _act_on(name, item, form, user) -> str:
        """Do what the button says. Returns the sentence for it, or nothing where the form has errors."""
        if not form.is_valid():
            return ""
        proposal = item.proposal
        if name == "score":
            values = form.for_the_score()
            if form.errors:
                return ""
            actions.score_at_panel(proposal=proposal, by=user, **values)
            return f"The panel’s score of {proposal.reference} is recorded."
        values = form.for_the_decision()
        if form.errors:
            return ""
        latest = item.decision
        if latest and latest.decided_by_id == user.pk and _same(latest, values):
            return f"The decision on {proposal.reference} is recorded."  # the same button pressed twice
        if form.cleaned_data.get("score") is not None or form.cleaned_data.get("score_reason"):
            score = form.for_the_score()
            if form.errors:  # decided without it, its form would be gone and what was typed with it
                return ""
            actions.score_at_panel(proposal=proposal, by=user, **score)
        decision = actions.decide(proposal=proposal, by=user, **values)
        return f"The decision on {proposal.reference} is recorded: {decision.get_outcome_display().lower()}."

    # Attendance and minutes -------------------------------------------------------------------------------------------
    def attendance_view(self, request, object_id):
        call = self.call_or_404(request, object_id, with_ranking=False)
        panel = Panel.objects.filter(call=call).first()
        if panel is None:
            raise Http404
        if request.method == "POST":
            form = forms.AttendanceForm(request.POST, members=panel.members.select_related("user"))
            try:
                if form.is_valid():
                    actions.record_attendance(call=call, by=request.user, present=form.cleaned_data["present"])
                    messages.success(request, "Who is present is saved.")
                else:
                    messages.error(request, "The panel has changed. Look at its members and save again.")
            except ActionRefused as refusal:
                messages.error(request, str(refusal))
        return HttpResponseRedirect(reverse("admin:proposals_call_panel", args=[call.pk]))

    def _minutes(self, user, call, panel) -> str:
        """none, made, hidden or waiting."""
        if panel is None or panel.closed_at is None:
            return "none"
        if not panel.minutes_made_at:
            return "waiting"
        return "made" if permissions.can_read_minutes(user, panel) else "hidden"

    def minutes_view(self, request, object_id):
        """The minutes as a download: the latest, or an earlier version."""
        call = self.call_or_404(request, object_id, with_ranking=False)
        panel = Panel.objects.filter(call=call).first()
        if panel is None or not permissions.can_read_minutes(request.user, panel):
            raise Http404
        versions = [*panel.reopenings.all(), panel]
        wanted = request.GET.get("version", str(len(versions)))
        if wanted not in map(str, range(1, len(versions) + 1)) or not versions[int(wanted) - 1].minutes_made_at:
            raise Http404
        name = f"panel-minutes-{call.slug}{f'-version-{wanted}' if len(versions) > 1 else ''}.pdf"
        return attachment_response(versions[int(wanted) - 1].minutes_file, name, content_type="application/pdf")


def _same(decision, values) -> bool:
    return (decision.outcome, decision.reasons, decision.conditions, decision.amount) == (
        values["outcome"],
        values["reasons"].strip(),
        values["conditions"].strip() if values["outcome"] == decision.Outcome.APPROVED_WITH_CONDITIONS else "",
        values["amount"] if values["outcome"] in Proposal.FUNDED else None,
    )
