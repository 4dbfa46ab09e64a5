from django.urls import path

from crm.history import views

app_name = "history"
urlpatterns = [
    path("<str:kind>/<int:pk>/", views.card_history, name="card_history"),
    path("<str:kind>/<int:pk>/comments/", views.comment_create, name="comment_create"),
]
