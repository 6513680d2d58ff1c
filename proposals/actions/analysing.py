"""How firm the ranking of a call is: asked for when scores change, worked out by a task, stored."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from proposals import likeness, permissions, scoring
from proposals.models import Call, RankingAnalysis
from proposals.readings import portfolio
from proposals.readings.ranking import assessed, fingerprint, ranking_field, ratings_of, scores_of
from psc_portal.common import audit, clock, outbox
from psc_portal.common.refusals import ActionRefused

TASK = "proposals.analyse_ranking"
KEPT = 5  # analyses of a call: the latest holds, a page may be reading the one before, a decision keeps its own figures


def scores_changed(call: Call) -> None:
    """Have ranges and agreement worked out anew. Once for each state of the scores, however often it is asked for.

    A state that comes back after another was worked out (an interest recorded, then overridden) is asked for again.
    """
    found = ranking_field(call)
    latest = found.latest_analysis
    if found.all_reviews or latest:
        outbox.enqueue(TASK, call.pk, key=f"{TASK}.{call.pk}.{fingerprint(found)}.{latest['id'] if latest else 0}")


@transaction.atomic
def request_analysis(*, call, by) -> None:
    """Work out ranges and agreement by hand, where the portal has not done so by itself."""
    if not permissions.can_manage_call(by, call):
        raise PermissionDenied
    found = ranking_field(call)
    latest = RankingAnalysis.objects.filter(call=call).only("fingerprint").first()
    if latest is not None and latest.fingerprint == fingerprint(found):
        raise ActionRefused("The ranges rest on the present scores already. There is nothing to work out.")
    if not found.all_reviews:
        raise ActionRefused("No review is locked yet. Ranges can be worked out once there are scores.")
    outbox.enqueue(TASK, call.pk)
    audit.record("request_analysis", call, by=by)


def analyse_ranking(*, call) -> RankingAnalysis:
    """Work out and store rank ranges, agreement and likeness of texts for the scores as they stand now.

    May run twice: what rests on the same scores is not worked out again.
    """
    found = ranking_field(call)
    mark = fingerprint(found)
    latest = RankingAnalysis.objects.filter(call=call).first()
    if latest is not None and latest.fingerprint == mark:
        return latest
    scores = scores_of(call, set(assessed(call).values_list("pk", flat=True)))
    ratings = ratings_of(scores, [one["weight"] for one in found.field_weights])
    adjustment = scoring.adjusted(ratings)
    results = {
        "leaving_out": scoring.ranges_leaving_one_out(ratings),
        "resampled": scoring.resampled_ranges(ratings, seed=mark),
        "adjusted": scoring.adjusted_ranges_leaving_one_out(ratings),
        "alike": likeness.alike(portfolio.words_of(assessed(call))),
    }
    basis = {
        "weights": {one["code"]: one["weight"] for one in found.field_weights},
        "proposals": len(scores),
        "reviews": len(ratings),
        "reviewers": len(adjustment.effects),
        "groups": adjustment.groups,
        "resamples": scoring.RESAMPLES,
        "agreement": _agreement(scores, found.field_weights),
    }
    made = RankingAnalysis.objects.create(
        call=call, calculated_at=clock.now(), fingerprint=mark, basis=basis, results=results
    )
    kept = list(RankingAnalysis.objects.filter(call=call).values_list("pk", flat=True)[:KEPT])
    RankingAnalysis.objects.filter(call=call).exclude(pk__in=kept).delete()
    return made


def _agreement(scores, weights) -> list[dict]:
    """Alpha of each criterion, and of the lay and the other reviewers apart."""
    found = []
    for place, one in enumerate(weights):
        row = {"number": one["number"], "title": one["title"]}
        for name, wanted in (("all", (True, False)), ("lay", (True,)), ("others", (False,))):
            units = [
                [
                    review.scores[place]
                    for review in reviews
                    if review.scores[place] is not None and review.is_lay in wanted
                ]
                for reviews in scores.values()
            ]
            value = scoring.alpha(units)
            row[name] = None if value is None else round(value, 3)
            row[f"{name}_proposals"] = sum(len(unit) > 1 for unit in units)
        found.append(row)
    return found
