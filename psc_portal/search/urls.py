from django.urls import path

from psc_portal.search import sitemap, views

urlpatterns = [
    path("search/", views.search, name="search"),
    path("sitemap.xml", sitemap.sitemap, name="sitemap"),
    path("robots.txt", sitemap.robots, name="robots"),
]
