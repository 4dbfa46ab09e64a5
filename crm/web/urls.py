from django.urls import path

from crm.web import views

app_name = "web"

urlpatterns = [
    path("", views.home, name="home"),
    path("search/", views.search, name="search"),
    path("search/hits/", views.search_hits, name="search_hits"),
    path("profile/", views.profile, name="profile"),
    path("preference/", views.preference, name="preference"),
    path("card/<str:kind>/<int:pk>/next/", views.card_next, name="card_next"),
    path("style/", views.style, name="style"),
]
