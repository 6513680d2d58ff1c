"""The editor of a call's own questions: while it is a draft, to look at afterwards."""

from django.contrib import admin
from django.http import Http404
from django.template.response import TemplateResponse
from django.urls import path, reverse

from proposals import actions, forms, permissions, questions
from proposals.models import Call, CallQuestion
from psc_portal.common.admin import ActionAdmin, verb


def list_url(call_pk) -> str:
    return reverse("admin:proposals_call_questions", args=[call_pk])


def _may_manage(user, question):
    return permissions.can_manage_call(user, question.call if question else None)


def _is_draft(question) -> bool:
    return question.call.status == Call.Status.DRAFT


ADD_QUESTION = verb(
    "add_question", form=forms.CallQuestionForm, action=actions.add_question, label="Add a question",
    permission=permissions.can_manage_call, when=lambda call: call.status == Call.Status.DRAFT,
    form_kwargs=lambda request, call: {"call": call}, success="The question is added.",
    success_url=lambda call, result: list_url(call.pk),
    intro="It stands in a section of its own, “Questions of this call”, after the common ones.",
)  # fmt: skip


@admin.register(CallQuestion)
class CallQuestionAdmin(ActionAdmin):
    list_display = ["text", "call", "position", "kind", "is_required"]
    list_filter = [("call", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["call"]
    search_fields = ["text"]
    ordering = ["-call", "position"]
    fields = ["call_shown", "position", "text", "hint", "kind", "choices_shown", "word_limit", "is_required",
              "names_people", "asked_shown"]  # fmt: skip
    readonly_fields = ["call_shown", "choices_shown", "asked_shown"]
    verbs = [
        verb(
            "edit", form=forms.CallQuestionForm, action=actions.edit_question, label="Edit", permission=_may_manage,
            when=_is_draft, initial=forms.CallQuestionForm.initial_of, success="The question is saved.",
            form_kwargs=lambda request, question: {"call": question.call, "question": question},
        ),
        verb(
            "move_up", action=actions.move_question, label="Move up", permission=_may_manage, when=_is_draft,
            extra={"step": -1}, success="The question is moved.",
        ),
        verb(
            "move_down", action=actions.move_question, label="Move down", permission=_may_manage, when=_is_draft,
            extra={"step": 1}, success="The question is moved.",
        ),
        verb(
            "remove", action=actions.remove_question, label="Remove", permission=_may_manage, when=_is_draft,
            success="The question is removed.", intro="Nobody has answered it yet, since the call is a draft.",
        ),
    ]  # fmt: skip

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("call", "shown_if")

    def _row_url(self, obj) -> str:
        """Every verb leads back to the list of the call's questions."""
        return list_url(obj.call_id) if isinstance(obj, CallQuestion) else super()._row_url(obj)

    @admin.display(description="call")
    def call_shown(self, question):
        return question.call.title

    @admin.display(description="answers to choose from")
    def choices_shown(self, question):
        return ", ".join(question.choices) or "–"

    @admin.display(description="asked")
    def asked_shown(self, question):
        return condition_in_words(question) or "Always"


def condition_in_words(question) -> str:
    if not question.shown_if_id:
        return ""
    labels = dict(questions.own_question(question.shown_if).options)
    answer = labels.get(question.shown_if_answer, question.shown_if_answer)
    return f"Only if {question.shown_if.position}. “{question.shown_if.text}” is “{answer}”"


class QuestionPages:
    """The page of a call's own questions in their order, with what can be done with each: part of its admin."""

    def get_urls(self):
        own = path(
            "<path:object_id>/questions/",
            self.admin_site.admin_view(self.questions_view),
            name="proposals_call_questions",
        )
        return [own, *super().get_urls()]

    def verb_links(self, request, obj):
        links = super().verb_links(request, obj)
        return [*links, ("Questions", list_url(obj.pk))] if permissions.can_manage_call(request.user, obj) else links

    def questions_view(self, request, object_id):
        call = self.get_object(request, object_id)
        if call is None or not permissions.can_manage_call(request.user, call):
            raise Http404
        own = list(call.questions.select_related("shown_if"))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Questions of this call: {call}",
            "opts": self.opts,
            "call": call,
            "is_draft": call.status == Call.Status.DRAFT,
            "questions": [(one, condition_in_words(one)) for one in own],
            "back_url": reverse("admin:proposals_call_change", args=[call.pk]),
        }
        return TemplateResponse(request, "proposals/admin_questions.html", context)
