"""The measurement plan for staff: everything to read, changes by verbs only."""

from django.contrib import admin

from measurement import actions, forms, permissions, plan_forms, readings, suggestions
from measurement.models import (
    Annotation,
    Baseline,
    ChartChoice,
    Correction,
    DataPoint,
    Exclusion,
    ImportBatch,
    ImportFile,
    Metric,
    MetricOwner,
    MetricTarget,
    MetricVersion,
    NotYetMeasured,
    PlannedValue,
    Rebase,
    Series,
    Trajectory,
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


class TargetInline(ReadOnlyInline):
    model = MetricTarget
    fields = ["value", "from_date", "set_by", "reason", "by", "created_at", "withdrawn_at"]
    show_change_link = True


class ChartChoiceInline(ReadOnlyInline):
    model = ChartChoice
    fields = ["chart_type", "reason", "by", "at"]


class PlannedValueInline(ReadOnlyInline):
    model = PlannedValue
    fields = ["period_start", "value"]


class OwnerInline(ReadOnlyInline):
    model = MetricOwner
    fields = ["user", "deputy", "from_date", "to_date"]


class SeriesInline(ReadOnlyInline):
    model = Series
    fields = ["organisation", "ended_on"]
    show_change_link = True


class CorrectionInline(ReadOnlyInline):
    model = Correction
    fields = [
        "at", "by", "reason", "numerator_before", "numerator_after", "denominator_before", "denominator_after",
        "value_before", "value_after",
    ]  # fmt: skip


def _may_explain_series(user, series) -> bool:
    return permissions.can_explain(user, series.metric)


def _of_its_series(request, series) -> dict:
    return {"series": series}


def _of_its_metric(request, metric) -> dict:
    return {"metric": metric}


def _withdrawal(action, intro, *, metric_of=lambda row: row.series.metric):
    """The verb that takes a decision back."""
    return verb(
        "withdraw",
        action=action,
        permission=lambda user, row: permissions.can_explain(user, metric_of(row)),
        when=lambda row: row.withdrawn_at is None,
        intro=f"{intro} It stays in the history.",
    )


@admin.register(Metric)
class MetricAdmin(ActionAdmin):
    list_display = ["code", "name", "kind", "dimension", "priority", "is_public"]
    list_filter = ["kind", "dimension", "priority", "is_public"]
    list_select_related = ["priority"]
    search_fields = ["code", "name"]
    readonly_fields = ["what_it_says"]
    fields = ["what_it_says", *actions.METRIC_FIELDS]
    inlines = [VersionInline, TargetInline, ChartChoiceInline, OwnerInline, SeriesInline]

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
            initial=lambda metric: plan_forms.fields_of(forms.EditMetricForm, metric),
        ),
        verb(
            "define",
            form=plan_forms.NewDefinitionForm,
            action=actions.define_metric,
            label="New definition",
            permission=permissions.can_explain,
            intro="A new definition gets its own version and breaks the line of every chart on its date.",
            initial=plan_forms.definition_of,
        ),
        verb(
            "set_target",
            form=plan_forms.TargetForm,
            action=actions.set_target,
            permission=permissions.can_explain,
            intro="Earlier targets stay: the chart shows each from its date on.",
            success="The target is set.",
        ),
        verb(
            "choose_chart",
            form=plan_forms.ChartForm,
            action=actions.choose_chart,
            label="Choose the chart",
            permission=permissions.can_explain,
            form_kwargs=_of_its_metric,
            intro=lambda metric: suggestions.chart_for(metric, readings.reading(metric, readings.OWNER)).sentence,
            success="The chart is chosen.",
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
            form_kwargs=_of_its_metric,
            success="The event is on the chart.",
        ),
    ]

    @admin.display(description="What it says")
    def what_it_says(self, metric):
        return readings.reading(metric, readings.OWNER).sentence


@admin.register(Series)
class SeriesAdmin(ActionAdmin):
    list_display = ["__str__", "ended_on"]
    list_filter = ["metric"]
    list_select_related = ["metric", "organisation"]
    search_fields = ["metric__code", "metric__name", "organisation__name"]
    readonly_fields = ["what_it_says"]
    fields = ["metric", "organisation", "ended_on", "what_it_says"]
    verbs = [
        verb(
            "rebase",
            form=forms.RebaseDateForm,
            action=actions.rebase,
            permission=_may_explain_series,
            intro="Mean and limits start anew from this date. It is shown on the chart with its reason.",
            success="The chart is rebased.",
        ),
        verb(
            "exclude",
            form=plan_forms.ExclusionForm,
            action=actions.exclude_point,
            label="Leave a value out",
            permission=_may_explain_series,
            form_kwargs=_of_its_series,
            intro="It no longer counts in mean and limits. It stays on the chart, with the reason.",
            success="The value is left out of mean and limits.",
        ),
        verb(
            "set_baseline",
            form=plan_forms.BaselineForm,
            action=actions.set_baseline,
            label="Freeze the limits",
            permission=_may_explain_series,
            form_kwargs=_of_its_series,
            success="Mean and limits are frozen.",
        ),
        verb(
            "set_trajectory",
            form=plan_forms.TrajectoryForm,
            action=actions.set_trajectory,
            label="Plan its way",
            permission=_may_explain_series,
            form_kwargs=_of_its_series,
            intro="The plan is drawn as a thin line. No value is judged by it.",
            success="The plan is on the chart.",
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
        _withdrawal(
            actions.withdraw_annotation,
            "It no longer shows on any chart.",
            metric_of=lambda annotation: annotation.metric,
        )
    ]


class DecisionAdmin(ActionAdmin):
    list_filter = ["series__metric"]
    list_select_related = ["series__metric", "series__organisation", "by"]


@admin.register(Rebase)
class RebaseAdmin(DecisionAdmin):
    list_display = ["series", "from_date", "reason", "by", "withdrawn_at"]
    fields = ["series", "from_date", "reason", "by", "created_at", "withdrawn_at", "withdrawn_by"]
    verbs = [_withdrawal(actions.withdraw_rebase, "Mean and limits are calculated without it again.")]


@admin.register(Exclusion)
class ExclusionAdmin(DecisionAdmin):
    list_display = ["series", "period_start", "reason", "by", "withdrawn_at"]
    fields = ["series", "period_start", "reason", "by", "created_at", "withdrawn_at", "withdrawn_by"]
    verbs = [_withdrawal(actions.withdraw_exclusion, "The value counts in mean and limits again.")]


@admin.register(Baseline)
class BaselineAdmin(DecisionAdmin):
    list_display = ["series", "words", "reason", "by", "withdrawn_at"]
    fields = ["series", "points", "until", "reason", "by", "created_at", "withdrawn_at", "withdrawn_by"]
    verbs = [_withdrawal(actions.withdraw_baseline, "Mean and limits rest on all values again.")]


@admin.register(Trajectory)
class TrajectoryAdmin(DecisionAdmin):
    list_display = ["series", "reason", "by", "created_at", "withdrawn_at"]
    fields = ["series", "reason", "by", "created_at", "withdrawn_at", "withdrawn_by"]
    inlines = [PlannedValueInline]
    verbs = [_withdrawal(actions.withdraw_trajectory, "The plan is no longer drawn.")]


@admin.register(MetricTarget)
class MetricTargetAdmin(ActionAdmin):
    list_display = ["metric", "value", "from_date", "set_by", "withdrawn_at"]
    list_filter = ["metric"]
    list_select_related = ["metric"]
    fields = ["metric", "value", "from_date", "set_by", "reason", "by", "created_at", "withdrawn_at", "withdrawn_by"]
    verbs = [
        _withdrawal(
            actions.withdraw_target,
            "For a target that was set by mistake: one that changes gets a new one from its date on.",
            metric_of=lambda target: target.metric,
        )
    ]


@admin.register(NotYetMeasured)
class NotYetMeasuredAdmin(ActionAdmin):
    list_display = ["what", "priority", "since", "by_whom", "ended_at"]
    list_filter = ["priority"]
    list_select_related = ["priority"]
    fields = [*actions.NOT_YET_FIELDS, "metric", "end_reason", "ended_at", "ended_by"]
    add = verb(
        "add",
        form=plan_forms.NotYetMeasuredForm,
        action=actions.add_not_yet_measured,
        label="Add what is not yet measured",
        permission=permissions.can_manage,
    )
    verbs = [
        verb(
            "edit",
            form=plan_forms.NotYetMeasuredForm,
            action=actions.edit_not_yet_measured,
            permission=permissions.can_manage,
            when=lambda entry: entry.ended_at is None,
            initial=lambda entry: plan_forms.fields_of(plan_forms.NotYetMeasuredForm, entry),
        ),
        verb(
            "end",
            form=plan_forms.EndNotYetMeasuredForm,
            action=actions.end_not_yet_measured,
            label="Close",
            permission=permissions.can_manage,
            when=lambda entry: entry.ended_at is None,
        ),
    ]
