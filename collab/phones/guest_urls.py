from django.urls import path

from collab.phones import guest_views

app_name = "guests"
urlpatterns = [path("<str:token>/", guest_views.guest_answer, name="guest_answer")]
