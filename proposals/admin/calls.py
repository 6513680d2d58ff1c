"""Calls and their criteria in the admin."""

from django.contrib import admin
from django.db.models import Count, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from proposals import actions, forms, permissions, questions
from proposals.admin.assigning import ReviewingOfCall
from proposals.admin.letters import LetterPages
from proposals.admin.panels import PANEL_VERBS, PanelPages
from proposals.admin.questions import ADD_QUESTION, QuestionPages
from proposals.admin.ranking import RankingPages
from proposals.admin.shown import history_of, list_of, status_is
from proposals.models import (
    Call,
    Criterion,
)
from proposals.readings import set_up
from psc_portal.common.admin import ActionAdmin, verb
from psc_portal.common.markdown import render_markdown
from psc_portal.common.templatetags.portal import uk_date, uk_datetime


@admin.register(Criterion)
class CriterionAdmin(ActionAdmin):
    list_display = ["number", "title", "criterion_set"]
    list_display_links = ["title"]
    list_select_related = ["criterion_set"]
    fields = ["criterion_set", "number", "title", "wording", "help_text", "top_score", "lay_question", "levels_shown"]
    readonly_fields = ["levels_shown"]
    verbs = [
        verb(
            "levels", form=forms.DescribeLevelsForm, action=actions.describe_levels, label="Describe the levels",
            initial=forms.DescribeLevelsForm.initial_of,
            when=lambda criterion: not criterion.criterion_set.calls.published().exists(),
            intro="Applicants and reviewers read what each score means. Once a call with these criteria is published, "
            "they no longer change.",
            success="The levels are described.",
        ),
    ]  # fmt: skip

    @admin.display(description="levels")
    def levels_shown(self, criterion):
        rows = ((level.level, level.text) for level in criterion.levels.all())
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {}</li>", rows))


PLACES = {"questions": "the questions", "criterion": "describe its levels", "reviewers": "invite a reviewer"}


def _publish_context(request, call):
    checks = checklist(call)
    return {"checks": checks, "is_ready": not any(check.is_blocking for check, _url, _place in checks)}


def checklist(call) -> list[tuple]:
    """The checks of a draft, each with the address where it is mended."""
    return [(check, _url_of(call, check), PLACES.get(check.place, "mend it")) for check in set_up.set_up_checks(call)]


def _url_of(call, check) -> str:
    if check.place == "edit":
        return f"{reverse('admin:proposals_call_edit', args=[call.pk])}#id_{check.detail}"
    if check.place == "criterion" and check.detail:
        return reverse("admin:proposals_criterion_levels", args=[check.detail])
    if check.place == "reviewers":
        return reverse("admin:accounts_invitation_add")
    return _questions_url(call) if check.place == "questions" else ""


def _questions_url(call) -> str:
    return reverse("admin:proposals_call_questions", args=[call.pk])


def _copy_initial(call):
    return {"title": call.title}


def _copied(call, result) -> str:
    _copy, left_out = result
    begin = f"This is a new draft, made from “{call}”. Look at its checklist before you publish it."
    return " ".join([begin, *left_out])


@admin.register(Call)
class CallAdmin(LetterPages, PanelPages, QuestionPages, RankingPages, ReviewingOfCall, ActionAdmin):
    list_display = ["title", "stage_shown", "opens_at", "closes_at", "decision_on", "received"]
    list_filter = ["status"]
    search_fields = ["title", "summary"]
    fields = [
        "title", "stage_shown", "to_do", "summary", "about_shown", "eligibility_shown", "priorities_shown",
        "opens_shown", "closes_shown", "reviews_due_shown", "decision_shown", "money_shown", "reviews_wanted",
        "lay_reviews_wanted", "is_blind", "weights_shown", "letters_shown", "history_shown",
    ]  # fmt: skip
    readonly_fields = [
        "stage_shown", "to_do", "about_shown", "eligibility_shown", "priorities_shown", "opens_shown", "closes_shown",
        "reviews_due_shown", "decision_shown", "money_shown", "weights_shown", "letters_shown", "history_shown",
    ]  # fmt: skip
    add = verb(
        "add",
        form=forms.CallForm,
        action=actions.create_call,
        label="Add a call",
        permission=permissions.can_manage_call,
    )
    verbs = [
        verb(
            "edit", form=forms.CallForm, action=actions.edit_call, label="Edit",
            permission=permissions.can_manage_call, initial=forms.CallForm.initial_of,
            when=status_is(Call.Status.DRAFT), success="The call is saved.",
            template="proposals/admin_call_edit.html",
        ),
        ADD_QUESTION,
        verb(
            "publish", action=actions.publish_call, label="Publish", permission=permissions.can_manage_call,
            when=status_is(Call.Status.DRAFT), success="The call is published. Its weights are frozen.",
            context=_publish_context, template="proposals/admin_call_publish.html",
            intro="After this nothing but the closing time can be changed: text, criteria and weights are frozen.",
        ),
        verb(
            "copy", form=forms.CopyCallForm, action=actions.copy_call, label="Copy to a new call",
            permission=permissions.can_manage_call, initial=_copy_initial, success=_copied,
            intro="Everything is copied but the dates: texts, rules, priorities, money, weights, questions with their "
            "conditions, and calibration examples. What came in and what was decided stays with the earlier call.",
            success_url=lambda call, result: reverse("admin:proposals_call_change", args=[result[0].pk]),
        ),
        verb(
            "add_example", form=forms.ExampleForm, action=actions.add_example, label="Add an example to score",
            permission=permissions.can_manage_call,
            when=status_is(Call.Status.DRAFT, Call.Status.PUBLISHED, Call.Status.ASSESSMENT),
            intro="Reviewers score one or two examples first and see how far apart they are. This counts nowhere.",
            success="The example is added.",
            success_url=lambda call, example: reverse("admin:proposals_calibrationexample_change", args=[example.pk]),
        ),
        verb(
            "extend", form=forms.ExtendForm, action=actions.extend_call, label="Give more time",
            form_kwargs=lambda request, call: {"call": call},
            permission=permissions.can_manage_call, when=status_is(Call.Status.PUBLISHED),
            success="The closing time is moved.",
        ),
        verb(
            "start_assessment", action=actions.start_assessment, label="Start the assessment",
            permission=permissions.can_manage_call, when=lambda call: call.status == "published" and call.is_past,
            intro="After this nothing more is accepted, whatever the clock says.",
        ),
        verb(
            "move_to_panel", form=forms.PanelForm, action=actions.move_to_panel, label="Move to panel",
            permission=permissions.can_manage_call, when=status_is(Call.Status.ASSESSMENT),
            intro="Every proposal in assessment goes to the panel. After this reviews can no longer be unlocked.",
        ),
        *PANEL_VERBS,
        verb(
            "finish", action=actions.finish_call, label="Finish the call", permission=permissions.can_manage_call,
            when=status_is(Call.Status.PANEL),
            intro="Every proposal must have a decision, every applicant their feedback, and the panel must be closed.",
        ),
        verb(
            "archive", action=actions.archive_call, label="Archive", permission=permissions.can_manage_call,
            when=status_is(Call.Status.DECIDED),
        ),
    ]  # fmt: skip

    def get_queryset(self, request):
        received = Count("proposals", filter=Q(proposals__submitted_at__isnull=False))
        return super().get_queryset(request).annotate(received_count=received)

    @admin.display(description="state", ordering="status")
    def stage_shown(self, call):
        return call.stage

    @admin.display(description="proposals received", ordering="received_count")
    def received(self, call):
        return call.received_count

    @admin.display(description="what we are looking for")
    def about_shown(self, call):
        return render_markdown(call.about)

    @admin.display(description="opens")
    def opens_shown(self, call):
        return uk_datetime(call.opens_at)

    @admin.display(description="closes")
    def closes_shown(self, call):
        grace = int(call.grace.total_seconds() // 60)
        return f"{uk_datetime(call.closes_at)}, with {grace} minutes of grace" if grace else uk_datetime(call.closes_at)

    @admin.display(description="reviews due on")
    def reviews_due_shown(self, call):
        return uk_date(call.reviews_due_on) or "Not set"

    @admin.display(description="promised decision date")
    def decision_shown(self, call):
        return uk_date(call.decision_on)

    @admin.display(description="money")
    def money_shown(self, call):
        if not call.money_per_project:
            return questions.pounds(call.money_total)
        most = questions.pounds(call.money_per_project)
        return f"{questions.pounds(call.money_total)} in all, up to {most} for one proposal"

    @admin.display(description="priorities")
    def priorities_shown(self, call):
        return ", ".join(priority.title for priority in call.priorities.all()) or "None yet"

    @admin.display(description="weights")
    def weights_shown(self, call):
        weights = list(call.weights.select_related("criterion"))
        rows = ((weight.criterion, weight.weight) for weight in weights)
        total = sum(weight.weight for weight in weights)
        return format_html("<ul>{}</ul>Together: {}%", format_html_join("", "<li>{}: {}%</li>", rows), total)

    @admin.display(description="before it can be published")
    def to_do(self, call):
        if call.status != Call.Status.DRAFT:
            return "Nothing: it is published."
        return render_to_string("proposals/_call_checks.html", {"checks": checklist(call)})

    @admin.display(description="rules of eligibility")
    def eligibility_shown(self, call):
        return list_of("<li>{}</li>", ((rule,) for rule in call.eligibility_rules), "None yet")

    @admin.display(description="history")
    def history_shown(self, call):
        return history_of(call)

    def verb_links(self, request, obj):
        links = super().verb_links(request, obj)
        if obj.status == Call.Status.DRAFT:
            links.append(("Preview as an applicant", reverse("proposals:preview", args=[obj.slug])))
        return links

    def _page(self, request, one, obj, form):
        """Where someone else has saved the draft meanwhile, what is stored stands beside what was typed."""
        changed = isinstance(getattr(form, "refusal", None), actions.CallChanged)
        if changed:
            form.show_stored(form.refusal.stored)
        page = super()._page(request, one, obj, form)
        if changed:
            page.context_data["stored"] = form.differences(form.refusal.stored)
        return page
