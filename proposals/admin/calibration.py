"""Example proposals that reviewers score to see how far apart they are."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from proposals import actions, forms, permissions, readings
from proposals.admin.shown import list_of
from proposals.models import CalibrationExample
from psc_portal.common.admin import ActionAdmin, verb
from psc_portal.common.markdown import render_markdown
from psc_portal.common.templatetags.portal import uk_datetime


def _is_staff(user, example):
    return user.is_programme_staff


def _score_kwargs(request, example):
    weights = example.call.weights.select_related("criterion").prefetch_related("criterion__levels")
    return {"weights": list(weights), "is_lay": request.user.is_lay}


def _score_context(request, example):
    return {"example": example, "is_lay": request.user.is_lay}


@admin.register(CalibrationExample)
class CalibrationExampleAdmin(ActionAdmin):
    """Staff see who has scored; a reviewer sees the spread and the afterword once they have scored themselves."""

    list_display = ["title", "call"]
    list_select_related = ["call"]
    fields = ["title", "call_shown", "text_shown", "afterword_shown", "spread_shown", "done_by"]
    readonly_fields = ["call_shown", "text_shown", "afterword_shown", "spread_shown", "done_by"]
    verbs = [
        verb(
            "score", form=forms.CalibrationForm, action=actions.score_example, label="Score this example",
            permission=permissions.can_score_example, form_kwargs=_score_kwargs, context=_score_context,
            template="proposals/admin_example.html", success="Thank you. Below is how everyone scored it so far.",
            success_url=lambda example, result: reverse(
                "admin:proposals_calibrationexample_change", args=[example.pk]
            ),
        ),
        verb(
            "edit", form=forms.ExampleForm, action=actions.edit_example, label="Edit", permission=_is_staff,
            initial=forms.ExampleForm.initial_of, success="The example is saved.",
        ),
        verb(
            "remove", action=actions.remove_example, label="Remove", permission=_is_staff,
            when=lambda example: not example.scores.exists(), success="The example is removed.",
            success_url=lambda example, result: reverse("admin:proposals_call_change", args=[example.call_id]),
        ),
    ]  # fmt: skip

    def can_view(self, request, obj=None):
        return request.user.is_programme_staff or request.user.is_reviewer

    def verb_links(self, request, obj):
        """Scored once: after that the page shows the spread."""
        is_scored = obj.scores.filter(reviewer=request.user).exists()
        return [one for one in super().verb_links(request, obj) if not (is_scored and one[0] == "Score this example")]

    def get_object(self, request, object_id, from_field=None):
        example = super().get_object(request, object_id, from_field)
        if example is not None:
            example.reader = request.user
            example.is_open = bool(readings.calibration_of(example, request.user)) or request.user.is_programme_staff
        return example

    def get_fields(self, request, obj=None):
        if request.user.is_programme_staff:
            return self.fields
        return [name for name in self.fields if name != "done_by"]

    @admin.display(description="call")
    def call_shown(self, example):
        """Its name: the admin's own link to the call is not for reviewers."""
        return example.call.title

    @admin.display(description="the example")
    def text_shown(self, example):
        return render_markdown(example.text)

    @admin.display(description="what the programme says of it")
    def afterword_shown(self, example):
        if not example.is_open:
            return "Shown once you have scored it"
        return render_markdown(example.afterword) if example.afterword else "Nothing"

    @admin.display(description="how everyone scored it")
    def spread_shown(self, example):
        if not example.is_open:
            return "Shown once you have scored it"
        lines = readings.calibration_of(example, example.reader)
        people = {one.reviewer_id for one in example.scores.all()}
        if example.reader.pk in people:
            rows = ((line.criterion, line.mine, line.in_words) for line in lines)
            listed = list_of("<li>{}. You: <strong>{}</strong>. Everyone: {}</li>", rows, "Nobody yet")
        else:
            rows = ((line.criterion, line.in_words) for line in lines)
            listed = list_of("<li>{}. Everyone: {}</li>", rows, "Nobody yet")
        return format_html(
            "<p>{} so far.</p>{}", "1 reviewer" if len(people) == 1 else f"{len(people)} reviewers", listed
        )

    @admin.display(description="who has scored it")
    def done_by(self, example):
        rows = {
            (one.reviewer.display_name, uk_datetime(one.scored_at)) for one in example.scores.select_related("reviewer")
        }
        return list_of("<li>{}, {}</li>", sorted(rows), "Nobody yet")
