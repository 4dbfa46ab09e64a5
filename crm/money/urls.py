from django.urls import path

from crm.money import views

app_name = "money"
urlpatterns = [
    path("", views.rate_list, name="rate_list"),
    path("<int:pk>/removal/", views.rate_delete, name="rate_delete"),
]
