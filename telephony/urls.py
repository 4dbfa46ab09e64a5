from django.urls import path

from telephony.models import CARDS
from telephony.views import calls, deals, hook, simulator

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
    path("deals/<int:pk>/call/", deals.deal_call, name="deal_call"),
    path("simulator/", simulator.simulator, name="simulator"),
    path("simulator/new/", simulator.simulator_create, name="simulator_create"),
    path("hook/<uuid:connection>/<str:secret>/", hook.hook, name="hook"),
]
for card in CARDS:
    urlpatterns.append(
        path(f"{card}/<int:pk>/calls/", calls.card_calls, {"card": card}, name=f"{card}_calls")
    )
