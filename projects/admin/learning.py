from django.contrib import admin

from projects import actions, forms, permissions
from projects.admin.shared import fields_of
from projects.models import LearningResource, LearningTopic, Offer
from psc_portal.common import clock
from psc_portal.common.admin import ActionAdmin, verb
from psc_portal.common.templatetags.portal import uk_datetime


def as_seen(form):
    return lambda row: fields_of(form)(row) | {"seen": row.edit_mark}


@admin.register(LearningTopic)
class LearningTopicAdmin(ActionAdmin):
    list_display = ["name", "position"]
    fields = ["name", "position"]
    add = verb(
        "add",
        form=forms.TopicForm,
        action=actions.create_topic,
        label="Add a topic",
        permission=permissions.can_manage,
    )
    verbs = [
        verb(
            "edit",
            form=forms.TopicForm,
            action=actions.edit_topic,
            initial=fields_of(forms.TopicForm),
            permission=permissions.can_manage,
        ),
    ]


class ReviewState(admin.SimpleListFilter):
    title = "review"
    parameter_name = "review"

    def lookups(self, request, model_admin):
        return [("overdue", "Overdue")]

    def queryset(self, request, rows):
        return rows.filter(review_due_on__lt=clock.today()) if self.value() == "overdue" else rows


@admin.register(LearningResource)
class LearningResourceAdmin(ActionAdmin):
    list_display = ["title", "kind", "published_on", "review_due_on", "is_overdue", "is_public"]
    list_filter = [ReviewState, "kind", "topics", "is_public"]
    search_fields = ["title"]
    readonly_fields = ["slug"]
    fields = [
        "title", "slug", "kind", "lesson_month", "summary", "body", "source", "link", "document", "topics",
        "priorities", "projects", "published_on", "reviewed_on", "review_due_on", "is_public",
    ]  # fmt: skip
    add = verb(
        "add",
        form=forms.LearningResourceForm,
        action=actions.create_resource,
        label="Add to the library",
        permission=permissions.can_manage,
    )
    verbs = [
        verb(
            "edit",
            form=forms.EditLearningResourceForm,
            action=actions.edit_resource,
            initial=as_seen(forms.EditLearningResourceForm),
            permission=permissions.can_manage,
        ),
        verb(
            "review",
            form=forms.ReviewResourceForm,
            action=actions.review_resource,
            label="It still holds",
            intro="Say that you have looked at it today and that it still holds.",
            permission=permissions.can_manage,
        ),
    ]

    def view_on_site(self, resource):
        return resource.get_absolute_url()

    @admin.display(description="overdue for review", boolean=True)
    def is_overdue(self, resource):
        return resource.is_overdue


@admin.register(Offer)
class OfferAdmin(ActionAdmin):
    list_display = ["title", "kind", "opens", "closes", "is_public"]
    list_filter = ["kind", "is_public"]
    search_fields = ["title"]
    readonly_fields = ["slug", "opens", "closes"]
    fields = [
        "title", "slug", "kind", "summary", "audience", "body", "how_to_apply", "opens", "closes", "priorities",
        "is_public",
    ]  # fmt: skip
    add = verb(
        "add",
        form=forms.OfferForm,
        action=actions.create_offer,
        label="Add an offer",
        permission=permissions.can_manage,
    )
    verbs = [
        verb(
            "edit",
            form=forms.EditOfferForm,
            action=actions.edit_offer,
            initial=as_seen(forms.EditOfferForm),
            permission=permissions.can_manage,
        ),
    ]

    def view_on_site(self, offer):
        return offer.get_absolute_url()

    @admin.display(ordering="opens_at")
    def opens(self, offer):
        return uk_datetime(offer.opens_at)

    @admin.display(ordering="closes_at")
    def closes(self, offer):
        return uk_datetime(offer.closes_at) if offer.closes_at else "Open until further notice"
