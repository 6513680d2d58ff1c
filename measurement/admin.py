"""The measurement plan for staff: everything to read, changes by verbs only."""

from django.contrib import admin

from measurement import actions, forms, permissions, readings
from measurement.models import (
    Annotation,
    Correction,
    DataPoint,
    ImportBatch,
    ImportFile,
    Metric,
    MetricOwner,
    MetricVersion,
    Rebase,
    Series,
)
from psc_portal.common.admin import ActionAdmin, verb


class ReadOnlyInline(admin.TabularInline):
    extra = 0
    max_num = 0
    can_delete = False
    show_change_link = False

    def has_view_permission(self, request, obj=None):
        return True  # who sees the row sees what belongs to it

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False


class VersionInline(ReadOnlyInline):
    model = MetricVersion
    fields = ["number", "valid_from", "operational_definition", "numerator", "denominator", "reason", "created_by"]


class OwnerInline(ReadOnlyInline):
    model = MetricOwner
    fields = ["user", "deputy", "from_date", "to_date"]


class SeriesInline(ReadOnlyInline):
    model = Series
    fields = ["organisation", "baseline_points", "ended_on"]
    show_change_link = True


class CorrectionInline(ReadOnlyInline):
    model = Correction
    fields = [
        "at", "by", "reason", "numerator_before", "numerator_after", "denominator_before", "denominator_after",
        "value_before", "value_after",
    ]  # fmt: skip


def _fields_of(form_class, obj) -> dict:
    return {name: getattr(obj, name) for name in form_class.base_fields if hasattr(obj, name)}


@admin.register(Metric)
class MetricAdmin(ActionAdmin):
    list_display = ["code", "name", "kind", "dimension", "priority", "is_public"]
    list_filter = ["kind", "dimension", "priority", "is_public"]
    list_select_related = ["priority"]
    search_fields = ["code", "name"]
    readonly_fields = ["what_it_says"]
    fields = ["what_it_says", *actions.METRIC_FIELDS]
    inlines = [VersionInline, OwnerInline, SeriesInline]

    add = verb(
        "add",
        form=forms.AddMetricForm,
        action=actions.create_metric,
        label="Add a metric",
        permission=permissions.can_manage,
    )
    verbs = [
        verb(
            "edit",
            form=forms.EditMetricForm,
            action=actions.edit_metric,
            permission=permissions.can_manage,
            initial=lambda metric: _fields_of(forms.EditMetricForm, metric),
        ),
        verb(
            "define",
            form=forms.NewDefinitionForm,
            action=actions.define_metric,
            label="New definition",
            permission=permissions.can_manage,
            intro="A new definition gets its own version and breaks the line of every chart on its date.",
            initial=lambda metric: _fields_of(forms.DefinitionFields, metric.version),
        ),
        verb(
            "set_owner",
            form=forms.OwnerForm,
            action=actions.set_owner,
            label="Name the owner",
            permission=permissions.can_manage,
        ),
        verb(
            "open_series",
            form=forms.SeriesForm,
            action=actions.open_series,
            label="Open a series",
            permission=permissions.can_manage,
            success="The series is open.",
            success_url=lambda metric, series: metric.get_absolute_url(),
        ),
        verb(
            "annotate",
            form=forms.AnnotationForm,
            action=actions.annotate,
            label="Mark an event",
            permission=permissions.can_explain,
            form_kwargs=lambda request, metric: {"metric": metric},
            success="The event is on the chart.",
        ),
    ]

    @admin.display(description="What it says")
    def what_it_says(self, metric):
        return readings.reading(metric, readings.OWNER).sentence


@admin.register(Series)
class SeriesAdmin(ActionAdmin):
    list_display = ["__str__", "baseline_points", "ended_on"]
    list_filter = ["metric"]
    list_select_related = ["metric", "organisation"]
    search_fields = ["metric__code", "metric__name", "organisation__name"]
    readonly_fields = ["what_it_says"]
    fields = ["metric", "organisation", "baseline_points", "ended_on", "what_it_says"]
    verbs = [
        verb(
            "rebase",
            form=forms.RebaseDateForm,
            action=actions.rebase,
            permission=lambda user, series: permissions.can_explain(user, series.metric),
            intro="Mean and limits start anew from this date. It is shown on the chart with its reason.",
            success="The chart is rebased.",
        ),
        verb(
            "set_baseline",
            form=forms.BaselineForm,
            action=actions.set_baseline,
            label="Freeze the limits",
            permission=lambda user, series: permissions.can_explain(user, series.metric),
            initial=lambda series: {"points": series.baseline_points},
        ),
    ]

    @admin.display(description="What it says")
    def what_it_says(self, series):
        return readings.reading(series, readings.OWNER).sentence


@admin.register(DataPoint)
class DataPointAdmin(ActionAdmin):
    """To read only: values are entered and corrected on the metric's own pages, which keep the old ones."""

    list_display = ["series", "period_start", "numerator", "denominator", "value", "finality", "withdrawn_at"]
    list_filter = ["series__metric", "finality"]
    list_select_related = ["series__metric", "series__organisation"]
    fields = [
        "series", "period_start", "period_end", "numerator", "denominator", "value", "finality", "note", "entered_by",
        "created_at", "batch", "withdrawn_at", "withdrawn_by",
    ]  # fmt: skip
    inlines = [CorrectionInline]


@admin.register(ImportBatch)
class ImportBatchAdmin(ActionAdmin):
    list_display = ["metric", "name", "status", "rows_stored", "rows_refused", "by", "created_at"]
    list_filter = ["status", "metric"]
    list_select_related = ["metric", "by"]
    fields = ["metric", "name", "status", "rows_stored", "rows_refused", "source", "licence", "by", "created_at"]
    verbs = [
        verb(
            "undo",
            action=actions.undo_import,
            label="Undo the import",
            permission=permissions.can_undo,
            when=lambda batch: batch.status == ImportBatch.Status.STORED,
            intro="Its new values are withdrawn and its corrections turned back. All stays in the history.",
        )
    ]


@admin.register(ImportFile)
class ImportFileAdmin(ActionAdmin):
    """How far large files are; what stands in them is for their owners only."""

    list_display = ["metric", "name", "status", "percent", "attempt", "by", "created_at"]
    list_filter = ["status"]
    list_select_related = ["metric", "by"]
    fields = ["metric", "name", "status", "percent", "step", "attempt", "error", "by", "created_at", "batch"]


@admin.register(Annotation)
class AnnotationAdmin(ActionAdmin):
    list_display = ["metric", "series", "date", "kind", "text", "withdrawn_at"]
    list_filter = ["kind", "metric"]
    list_select_related = ["metric", "series__metric", "series__organisation"]
    fields = ["metric", "series", "pdsa_cycle", "date", "kind", "text", "by", "created_at", "withdrawn_at"]
    verbs = [
        verb(
            "withdraw",
            action=actions.withdraw_annotation,
            permission=lambda user, annotation: permissions.can_explain(user, annotation.metric),
            when=lambda annotation: annotation.withdrawn_at is None,
            intro="It no longer shows on any chart. It stays in the history.",
        )
    ]


@admin.register(Rebase)
class RebaseAdmin(ActionAdmin):
    list_display = ["series", "from_date", "reason", "by", "withdrawn_at"]
    list_filter = ["series__metric"]
    list_select_related = ["series__metric", "series__organisation", "by"]
    fields = ["series", "from_date", "reason", "by", "created_at", "withdrawn_at"]
    verbs = [
        verb(
            "withdraw",
            action=actions.withdraw_rebase,
            permission=lambda user, rebase: permissions.can_explain(user, rebase.series.metric),
            when=lambda rebase: rebase.withdrawn_at is None,
            intro="Mean and limits are calculated without it again. It stays in the history.",
        )
    ]
