from django.urls import path

from crm.history.views import bin, cards, notes, undo

app_name = "history"
urlpatterns = [
    path("bin/", bin.bin, name="bin"),
    path("bin/<int:pk>/restoration/", bin.deletion_restoration, name="deletion_restoration"),
    path("bin/erasure/", bin.bin_erasure, name="bin_erasure"),
    path("events/<int:pk>/undo/", undo.event_undo, name="event_undo"),
    path("<str:kind>/<int:pk>/", cards.card_history, name="card_history"),
    path("comments/<int:pk>/edit/", notes.comment_update, name="comment_update"),
    path("comments/<int:pk>/removal/", notes.comment_removal, name="comment_removal"),
    path("<str:kind>/<int:pk>/comments/", notes.comment_create, name="comment_create"),
    path("<str:kind>/<int:pk>/mentions/", notes.mention_options, name="mention_options"),
    path("<str:kind>/<int:pk>/deletion/", bin.record_deletion, name="record_deletion"),
]
