from django.urls import path

from psc_portal.open_data import views

urlpatterns = [
    path("data/", views.catalogue, name="data"),
    path("data/datapackage.json", views.package_json, name="data_package"),
    path("data/open-data.zip", views.package_zip, name="data_zip"),
    path("data/<slug:dataset>/", views.dataset_page, name="data_set"),
    path("data/<slug:dataset>.csv", views.dataset_csv, name="data_set_csv"),
]
