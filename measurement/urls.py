from django.urls import path

from measurement import entry_views, views

app_name = "measurement"
urlpatterns = [
    path("metrics/", views.metric_list, name="metric_list"),
    path("metrics/enter/<slug:key>/", entry_views.data_enter, name="data_enter"),
    path("metrics/<slug:code>/", views.metric_detail, name="metric_detail"),
    path("metrics/<slug:code>.csv", views.metric_csv, name="metric_csv"),
    path("metrics/<slug:code>.svg", views.metric_svg, name="metric_svg"),
    path("metrics/<slug:code>.png", views.metric_png, name="metric_png"),
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
]
