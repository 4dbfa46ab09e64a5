from django.urls import path

from collab.phones import views

app_name = "collab_phones"
urlpatterns = [
    path("devices/", views.device_list, name="device_list"),
    path("devices/<int:pk>/removal/", views.device_removal, name="device_removal"),
    path("feeds/<str:token>/calendar.ics", views.feed, name="feed"),
    path("activities/<int:pk>/activity.ics", views.activity_file, name="activity_file"),
]
