from django.urls import path

from funnel import views

app_name = "funnel"
urlpatterns = [
    path("", views.funnel_list, name="funnel_list"),
    path("stages/<int:pk>/requirements/new/", views.requirement_create, name="requirement_create"),
    path("requirements/<int:pk>/removal/", views.requirement_delete, name="requirement_delete"),
]
