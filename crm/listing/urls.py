from django.urls import path

from crm.listing.views import corrections
from crm.listing.views import imports as views

app_name = "imports"
urlpatterns = [
    path("", views.import_list, name="import_list"),
    path("new/", views.import_create, name="import_create"),
    path("example/", views.import_example, name="import_example"),
    path("<int:pk>/", views.import_detail, name="import_detail"),
    path("<int:pk>/mapping/", views.import_mapping, name="import_mapping"),
    path("<int:pk>/reading/", views.import_reading, name="import_reading"),
    path("<int:pk>/preview/", views.import_preview, name="import_preview"),
    path("<int:pk>/run/", views.import_run, name="import_run"),
    path("<int:pk>/cancellation/", views.import_cancellation, name="import_cancellation"),
    path("<int:pk>/undo/", views.import_undo, name="import_undo"),
    path("<int:pk>/rows/<int:number>/decision/", views.import_decision, name="import_decision"),
    path("<int:pk>/rows/<int:number>/", corrections.import_row, name="import_row"),
    path("<int:pk>/unknown/", corrections.import_unknown, name="import_unknown"),
    path("<int:pk>/bad-rows/", views.import_bad_rows, name="import_bad_rows"),
]
