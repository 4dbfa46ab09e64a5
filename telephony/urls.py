from django.urls import path

from telephony.models import CARDS
from telephony.views import calls, connections, deals, hook, recordings, simulator, statistics

app_name = "telephony"
urlpatterns = [
    path("", calls.call_list, name="call_list"),
    path("live/", calls.live, name="live"),
    path("call/", calls.call_create, name="call_create"),
    path("calls/<int:pk>/", calls.call_detail, name="call_detail"),
    path("calls/<int:pk>/note/", calls.call_note, name="call_note"),
    path("calls/<int:pk>/wrap-up/", calls.call_wrap_up, name="call_wrap_up"),
    path("calls/<int:pk>/cards/", calls.call_cards, name="call_cards"),
    path("calls/<int:pk>/choice/", calls.call_choice, name="call_choice"),
    path("calls/<int:pk>/hold/", recordings.call_hold, name="call_hold"),
    path("calls/<int:pk>/release/", recordings.call_release, name="call_release"),
    path("calls/<int:pk>/purge/", recordings.call_purge, name="call_purge"),
    path("recordings/<int:pk>/", recordings.recording_detail, name="recording_detail"),
    path("recordings/<int:pk>/sound/", recordings.recording_sound, name="recording_sound"),
    path("recordings/<int:pk>/retry/", recordings.recording_retry, name="recording_retry"),
    path("deals/<int:pk>/call/", deals.deal_call, name="deal_call"),
    path("connections/", connections.connection_list, name="connection_list"),
    path("connections/new/", connections.connection_create, name="connection_create"),
    path("connections/<int:pk>/", connections.connection_detail, name="connection_detail"),
    path("connections/<int:pk>/health/", connections.connection_health, name="connection_health"),
    path("connections/<int:pk>/edit/", connections.connection_update, name="connection_update"),
    path("connections/<int:pk>/check/", connections.connection_check, name="connection_check"),
    path("connections/<int:pk>/secret/", connections.connection_secret, name="connection_secret"),
    path("connections/<int:pk>/switch/", connections.connection_switch, name="connection_switch"),
    path("connections/<int:pk>/extensions/", connections.extension_create, name="extension_create"),
    path("extensions/<int:pk>/removal/", connections.extension_delete, name="extension_delete"),
    path("statistics/", statistics.statistics, name="statistics"),
    path("simulator/", simulator.simulator, name="simulator"),
    path("simulator/new/", simulator.simulator_create, name="simulator_create"),
    path("hook/<uuid:connection>/<str:secret>/", hook.hook, name="hook"),
]
for card in CARDS:
    urlpatterns.append(
        path(f"{card}/<int:pk>/calls/", calls.card_calls, {"card": card}, name=f"{card}_calls")
    )
