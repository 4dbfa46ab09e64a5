from django.urls import path

from collab.phones import guest_views, views

app_name = "collab_phones"
urlpatterns = [
    path("devices/", views.device_list, name="device_list"),
    path("devices/<int:pk>/removal/", views.device_removal, name="device_removal"),
    path("feeds/<str:token>/calendar.ics", views.feed, name="feed"),
    path("activities/<int:pk>/activity.ics", views.activity_file, name="activity_file"),
    path("activities/<int:pk>/guests/", guest_views.activity_guests, name="activity_guests"),
    path("activities/<int:pk>/invitation/", guest_views.activity_invitation, name="activity_invitation"),
    path("guests/<int:pk>/removal/", guest_views.guest_removal, name="guest_removal"),
    path("guests/<int:pk>/sending/", guest_views.guest_sending, name="guest_sending"),
]
