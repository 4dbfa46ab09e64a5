from django.urls import path

from counterparties.matching.views import merging, pairs, trial

app_name = "matching"
urlpatterns = [
    path("", pairs.pair_list, name="pair_list"),
    path("scan/", pairs.scan_create, name="scan_create"),
    path("<int:pk>/decision/", pairs.pair_decision, name="pair_decision"),
    path("<int:pk>/reopening/", pairs.pair_reopening, name="pair_reopening"),
    path("trial/", trial.score_trial, name="score_trial"),
    path("merge/", merging.merge_create, name="merge_create"),
    path("merges/<int:pk>/undo/", merging.merge_undo, name="merge_undo"),
    path("<str:kind>/<int:pk>/partner/", merging.merge_partner, name="merge_partner"),
    path("options/", merging.merge_options, name="merge_options"),
]
