"""Ranking, another weighting and portfolio fit of a call: pages of their own beside the call in the admin."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from proposals import actions, permissions, questions, scoring
from proposals.admin.ranking_export import ranking_table
from proposals.forms import WeightingForm
from proposals.models import Call, Panel, Proposal
from proposals.readings import portfolio
from proposals.readings.ranking import (
    ORDERS,
    Ranked,
    analysed_for,
    assessed,
    ranking_field,
    ranking_of,
    ranking_page,
)
from psc_portal.common import audit, clock, export
from psc_portal.common.refusals import ActionRefused


class RankingPages:
    """Mixed into the admin of calls."""

    def get_urls(self):
        pages = [
            ("ranking", self.ranking_view),
            ("analyse", self.analyse_view),
            ("weighting", self.weighting_view),
            ("portfolio", self.portfolio_view),
        ]
        exports = [
            path(
                f"<path:object_id>/ranking.{kind}",
                self.admin_site.admin_view(self.ranking_export_view),
                {"kind": kind},
                name=f"proposals_call_ranking_{kind}",
            )
            for kind in export.FORMATS
        ]
        return exports + [self.page_path(name, view) for name, view in pages] + super().get_urls()

    def page_path(self, name, view):
        return path(f"<path:object_id>/{name}/", self.admin_site.admin_view(view), name=f"proposals_call_{name}")

    def verb_links(self, request, obj):
        links = super().verb_links(request, obj)
        if obj.status in Call.AFTER_CLOSING:
            links.insert(0, ("Ranking", reverse("admin:proposals_call_ranking", args=[obj.pk])))
        return links

    def call_or_404(self, request, object_id, *, with_ranking=True):
        """The call, if this user manages calls; with what its ranking rests on, of what this user may see."""
        if not permissions.can_manage_call(request.user, None) or not object_id.isdecimal():
            raise Http404
        try:
            return ranking_field(int(object_id), request.user) if with_ranking else Call.objects.get(pk=object_id)
        except Call.DoesNotExist:
            raise Http404

    def call_page(self, request, call, template, title, **context):
        """One of a call's own pages, with the links to its neighbours."""
        found = self.admin_site.each_context(request) | {
            "title": f"{title}: {call}",
            "heading": title,
            "opts": self.opts,
            "call": call,
            "back_url": reverse("admin:proposals_call_change", args=[call.pk]),
            "neighbours": self.neighbours(call, request.path),
        }
        return TemplateResponse(request, template, found | context)

    def neighbours(self, call, here):
        pages = [("Ranking", "ranking"), ("Another weighting", "weighting"), ("Portfolio fit", "portfolio")]
        links = [(label, reverse(f"admin:proposals_call_{name}", args=[call.pk])) for label, name in pages]
        return [(label, url, url == here) for label, url in links]

    def ranking_view(self, request, object_id):
        """Assessed proposals of a call: raw, adjusted, how firm the rank is, and where reviewers disagree."""
        call = self.call_or_404(request, object_id)
        analysed = analysed_for(call)
        order = _order(request)
        asked = request.GET.get("page", "")
        number = int(asked) if asked.isdecimal() and len(asked) < 7 else 1
        found = ranking_page(call, request.user, order=order, number=number, with_analysis=not analysed.is_hidden)
        return self.call_page(
            request,
            call,
            "proposals/admin_ranking.html",
            "Ranking",
            ranking=found.ranking,
            page=found.page,
            rows=_with_proposals(found.ranking.lines),
            query=f"order={order}",
            order=order,
            orders=[(key, label) for key, (label, _key) in ORDERS.items()],
            analysed=analysed,
            agreement=[] if analysed.is_hidden else _agreement(analysed.analysis),
            money_line=found.money_line,
            money=questions.pounds(call.money_total),
            funded=set(found.money_line.funded),
            on_the_line=set(found.money_line.on_the_line),
            resamples=f"{scoring.RESAMPLES:,}",
        )

    def ranking_export_view(self, request, object_id, kind):
        """All rows of the ranking page, in its order."""
        call = self.call_or_404(request, object_id)
        analysed = analysed_for(call)
        found = ranking_of(call, request.user, with_analysis=not analysed.is_hidden)
        order = _order(request)
        lines = sorted(found.lines, key=ORDERS[order][1])
        audit.record_export(Call, by=request.user, kind=kind, call=call.pk, order=order)
        table = ranking_table(
            call, found, _with_proposals(lines), analysed,
            user=request.user, order=ORDERS[order][0], money=portfolio.fundable_of(found, call),
        )  # fmt: skip
        return export.response(table, f"ranking-{call.slug}-{clock.today().isoformat()}", kind)

    def analyse_view(self, request, object_id):
        call = self.call_or_404(request, object_id, with_ranking=False)
        if request.method == "POST":
            try:
                actions.request_analysis(call=call, by=request.user)
            except ActionRefused as refusal:
                messages.error(request, str(refusal))
            else:
                messages.success(request, "Ranges and agreement are being worked out. Reload this page in a minute.")
        return HttpResponseRedirect(reverse("admin:proposals_call_ranking", args=[call.pk]))

    # Would another weighting change who is funded? --------------------------------------------------------------------
    def weighting_view(self, request, object_id):
        """Weights to try, and who would enter and leave what the money reaches. A POST makes them the panel's."""
        call = self.call_or_404(request, object_id)
        panel = Panel.objects.filter(call=call).first()
        form = WeightingForm(
            data=request.POST if request.method == "POST" else request.GET or None,
            criteria=call.field_weights,
            money=call.money_total,
            panel=panel,
        )
        if request.method == "POST" and form.is_valid():
            try:
                actions.use_weights(panel=panel, by=request.user, **form.for_the_panel())
            except PermissionDenied:
                raise Http404
            except ActionRefused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, _weighting_in_words(panel))
                return HttpResponseRedirect(reverse("admin:proposals_call_panel", args=[call.pk]))
        published = ranking_of(call, request.user)
        context = {"form": form, "panel": panel, "published": published, "criteria": form.rows()}
        if not form.is_bound or form.is_valid():
            context |= _compared(call, request.user, published, form)
        return self.call_page(request, call, "proposals/admin_weighting.html", "Another weighting", **context)

    def portfolio_view(self, request, object_id):
        """Possible duplicates, overlap with running projects, and what the money would leave uncovered."""
        call = self.call_or_404(request, object_id)
        seen = assessed(call, request.user)
        if is_decided := call.is_decided:
            fundable = set(seen.filter(status__in=Proposal.FUNDED).values_list("pk", flat=True))
        else:
            fundable = set(portfolio.fundable_of(ranking_of(call, request.user), call).funded)
        return self.call_page(
            request,
            call,
            "proposals/admin_portfolio.html",
            "Portfolio fit",
            fit=portfolio.portfolio_of(call, seen, fundable),
            is_by_decision=is_decided,
        )


def _order(request) -> str:
    asked = request.GET.get("order")
    return asked if asked in ORDERS else "mean"


def _with_proposals(lines) -> list[Ranked]:
    shown = Proposal.objects.select_related("organisation").only(
        "title", "reference", "status", "organisation_name", "organisation__name"
    )
    found = shown.in_bulk([line.pk for line in lines])
    return [Ranked(found[line.pk], line) for line in lines]


def _weighting_in_words(panel) -> str:
    panel.refresh_from_db(fields=["weights"])
    if panel.weights:
        return "The panel works with this weighting. The published weights stay beside it."
    return "The panel works with the published weights."


def _agreement(analysis):
    return analysis.basis["agreement"] if analysis else []


def _compared(call, user, published, form) -> dict:
    """Who is reached under the published weights, under the tried ones, and by the adjusted means."""
    tried = ranking_of(call, user, weights=form.weights())
    limits = form.limits()
    before = scoring.money_line(published.ranks, asked=published.asked, **limits)
    after = scoring.money_line(tried.ranks, asked=tried.asked, **limits)
    lines = {line.pk: line for line in tried.lines}
    old = {line.pk: line for line in published.lines}
    entering = [pk for pk in after.funded if pk not in set(before.funded)]
    leaving = [pk for pk in before.funded if pk not in set(after.funded)]
    shown = {
        one.pk: one
        for one in _with_proposals([lines[pk] for pk in {*entering, *leaving, *before.funded, *after.funded}])
    }

    def rows(pks):
        return [(shown[pk], old[pk].rank, lines[pk].rank) for pk in pks]

    adjusted = None
    if published.is_connected:
        by_adjusted = {line.pk: line.adjusted_rank for line in published.lines}
        adjusted_line = scoring.money_line(by_adjusted, asked=published.asked, **limits)
        adjusted = {
            "entering": [old[pk].reference for pk in adjusted_line.funded if pk not in set(before.funded)],
            "leaving": [old[pk].reference for pk in before.funded if pk not in set(adjusted_line.funded)],
        }
    return {
        "tried": tried,
        "before": before,
        "after": after,
        "entering": rows(entering),
        "leaving": rows(leaving),
        "staying": rows([pk for pk in before.funded if pk in set(after.funded)]),
        "moved": sum(old[pk].rank != lines[pk].rank for pk in lines),
        "adjusted": adjusted,
        "unpriced": sum(amount is None for amount in tried.asked.values()),
    }
