from django.urls import path

from projects import views

app_name = "projects"
urlpatterns = [
    path("priorities/", views.priority_list, name="priority_list"),
    path("priorities/<slug:slug>/", views.priority_detail, name="priority_detail"),
    path("projects/", views.project_list, name="project_list"),
    path("projects/<slug:slug>/", views.project_detail, name="project_detail"),
    path("projects/<slug:slug>/edit/", views.project_edit, name="project_edit"),
    path("projects/<slug:slug>/edit/cycle/", views.pdsa_cycle_add, name="pdsa_cycle_add"),
    path("projects/<slug:slug>/edit/cycle/<int:number>/", views.pdsa_cycle_edit, name="pdsa_cycle_edit"),
    path("projects/<slug:slug>/edit/adoption/", views.adoption_record, name="adoption_record"),
    path("my/affiliations/", views.affiliation_list, name="affiliation_list"),
    path("my/affiliations/<int:pk>/end/", views.affiliation_end, name="affiliation_end"),
]
