from django.urls import path

from measurement import api, entry_views, places_views, views

app_name = "measurement"
urlpatterns = [
    path("metrics/", views.metric_list, name="metric_list"),
    path("metrics/enter/<slug:key>/", entry_views.data_enter, name="data_enter"),
    path("metrics/<slug:code>/", views.metric_detail, name="metric_detail"),
    path("metrics/<slug:code>/places/", places_views.metric_places, name="metric_places"),
    path("metrics/<slug:code>.csv", views.metric_csv, name="metric_csv"),
    path("metrics/<slug:code>.json", views.metric_json, name="metric_json"),
    path("metrics/<slug:code>.svg", views.metric_svg, name="metric_svg"),
    path("metrics/<slug:code>.png", views.metric_png, name="metric_png"),
    path("metrics/<slug:code>/embed/", views.metric_embed, name="metric_embed"),
    path("metrics/<slug:code>/enter/", entry_views.point_enter, name="point_enter"),
    path("metrics/<slug:code>/enter/rows/", entry_views.rows_enter, name="rows_enter"),
    path("metrics/<slug:code>/enter/file/<int:pk>/", entry_views.import_file, name="import_file"),
    path(
        "metrics/<slug:code>/enter/file/<int:pk>/progress/",
        entry_views.import_file_progress,
        name="import_file_progress",
    ),
    path("metrics/<slug:code>/imports/", entry_views.import_list, name="import_list"),
    path("metrics/<slug:code>/enter/rows/<int:pk>/undo/", entry_views.import_undo, name="import_undo"),
    path("metrics/<slug:code>/annotate/", views.metric_annotate, name="metric_annotate"),
    path("metrics/<slug:code>/rebase/", views.metric_rebase, name="metric_rebase"),
    path("api/", api.about, name="api"),
    path("api/v1/", api.index, name="api_index"),
    path("api/v1/openapi.json", api.description, name="api_description"),
    path("api/v1/metrics/", api.metrics, name="api_metrics"),
    path("api/v1/metrics/<slug:code>/", api.metric, name="api_metric"),
    path("api/v1/series/", api.series, name="api_series"),
    path("api/v1/series/<slug:code>/<slug:key>/", api.one_series, name="api_one_series"),
    path("api/v1/series/<slug:code>/<slug:key>/points/", api.points, name="api_points"),
    path("api/v1/<path:rest>", api.nothing_here),
]
