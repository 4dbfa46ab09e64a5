from django.urls import path

from counterparties.matching.views import merging

app_name = "matching"
urlpatterns = [
    path("merge/", merging.merge_create, name="merge_create"),
    path("merges/<int:pk>/undo/", merging.merge_undo, name="merge_undo"),
    path("<str:kind>/<int:pk>/partner/", merging.merge_partner, name="merge_partner"),
    path("options/", merging.merge_options, name="merge_options"),
]
