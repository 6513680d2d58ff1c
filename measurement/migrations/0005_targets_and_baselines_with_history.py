from django.db import migrations

REASON = "Set before reasons were kept"


def keep(apps, schema_editor):
    """Targets and frozen limits become rows that can follow one another."""
    of = {name: apps.get_model("measurement", name) for name in ("Metric", "MetricTarget", "Series", "Baseline")}
    of["MetricTarget"].objects.bulk_create(
        of["MetricTarget"](
            metric=metric, value=metric.target, from_date=metric.target_from, set_by=metric.target_set_by
        )
        for metric in of["Metric"].objects.filter(target__isnull=False)
    )
    of["Baseline"].objects.bulk_create(
        of["Baseline"](series=series, points=series.baseline_points, reason=REASON)
        for series in of["Series"].objects.filter(baseline_points__isnull=False)
    )


def put_back(apps, schema_editor):
    """The newest that stands: there is room for one."""
    of = {name: apps.get_model("measurement", name) for name in ("MetricTarget", "Baseline")}
    for target in of["MetricTarget"].objects.filter(withdrawn_at__isnull=True).order_by("from_date"):
        metric = target.metric
        metric.target, metric.target_set_by = target.value, target.set_by
        metric.target_from = target.from_date if target.value is not None else None
        metric.save(update_fields=["target", "target_from", "target_set_by"])
    for baseline in of["Baseline"].objects.filter(withdrawn_at__isnull=True, points__isnull=False):
        baseline.series.baseline_points = baseline.points
        baseline.series.save(update_fields=["baseline_points"])


class Migration(migrations.Migration):
    dependencies = [("measurement", "0004_the_plan")]

    operations = [
        migrations.RunPython(keep, put_back),
        migrations.RemoveField(model_name="metric", name="target"),
        migrations.RemoveField(model_name="metric", name="target_from"),
        migrations.RemoveField(model_name="metric", name="target_set_by"),
        migrations.RemoveField(model_name="series", name="baseline_points"),
    ]
