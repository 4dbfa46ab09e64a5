from django.urls import path

from collab.phones import dav_views

app_name = "dav"
urlpatterns = [
    path("dav/<path:rest>", dav_views.door, name="door"),
    path("dav/", dav_views.door, {"rest": ""}, name="door"),
    path(".well-known/caldav", dav_views.well_known, name="well_known"),
]
