from django.urls import path

from collab.calendar import (
    calendar_pages,
    letter_views,
    reminder_views,
    resource_pages,
    sharing_pages,
    team_pages,
    template_pages,
    views,
)
from collab.calendar.models import CARDS

app_name = "collab_calendar"
urlpatterns = [
    path("", calendar_pages.calendar, name="calendar"),
    path("events/", calendar_pages.calendar_events, name="calendar_events"),
    path("team/", team_pages.team_calendar, name="team_calendar"),
    path("availability/", team_pages.free_busy, name="free_busy"),
    path("resources/", resource_pages.resource_list, name="resource_list"),
    path("resources/new/", resource_pages.resource_create, name="resource_create"),
    path("resources/<int:pk>/edit/", resource_pages.resource_update, name="resource_update"),
    path("templates/", template_pages.template_list, name="template_list"),
    path("templates/new/", template_pages.template_create, name="template_create"),
    path("templates/order/", template_pages.template_order, name="template_order"),
    path("templates/<int:pk>/edit/", template_pages.template_update, name="template_update"),
    path("templates/<int:pk>/retirement/", template_pages.template_retirement, name="template_retirement"),
    path("sharing/", sharing_pages.calendar_sharing, name="calendar_sharing"),
    path("sharing/<int:pk>/removal/", sharing_pages.grant_removal, name="grant_removal"),
    path("activities/", views.activity_list, name="activity_list"),
    path("day/", views.my_day, name="my_day"),
    path("activities/new/", views.activity_create, name="activity_create"),
    path("activities/<int:pk>/", views.activity_detail, name="activity_detail"),
    path("activities/<int:pk>/edit/", views.activity_update, name="activity_update"),
    path("activities/<int:pk>/completion/", views.activity_completion, name="activity_completion"),
    path("activities/<int:pk>/time/", views.activity_time, name="activity_time"),
    path("activities/<int:pk>/deletion/", views.activity_deletion, name="activity_deletion"),
    path("repetition/", views.repetition, name="repetition"),
    path("activities/<int:pk>/reminders/", reminder_views.activity_reminders, name="activity_reminders"),
    path("activities/<int:pk>/snooze/", reminder_views.activity_snooze, name="activity_snooze"),
    path("activities/<int:pk>/dismissal/", reminder_views.activity_dismissal, name="activity_dismissal"),
    path("reminders/", reminder_views.reminder_list, name="reminder_list"),
    path("reminders/choice/", reminder_views.reminder_choice, name="reminder_choice"),
    path("activities/<int:pk>/move/", calendar_pages.activity_move, name="activity_move"),
    path("activities/<int:pk>/letter/", letter_views.activity_letter, name="activity_letter"),
    path(
        "activities/<int:pk>/letter/settlement/",
        letter_views.activity_letter_settlement,
        name="activity_letter_settlement",
    ),
    path("activities/<int:pk>/cancellation/", views.activity_cancellation, name="activity_cancellation"),
]
for card in CARDS:
    urlpatterns += [
        path(
            f"{card}/<int:pk>/activities/", views.card_activities, {"card": card}, name=f"{card}_activities"
        ),
        path(f"{card}/<int:pk>/next/", views.card_next, {"card": card}, name=f"{card}_next"),
    ]
