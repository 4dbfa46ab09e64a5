from django.urls import path

from telephony.views import hook

app_name = "telephony"
urlpatterns = [
    path("hook/<uuid:connection>/<str:secret>/", hook.hook, name="hook"),
]
