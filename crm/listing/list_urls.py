from django.urls import path

from crm.listing.views import bulk, cells, everything, exports, saved, tags, tools

app_name = "lists"
urlpatterns = [
    path("everything/", everything.full_export_list, name="full_export_list"),
    path("everything/<int:pk>/file/", everything.full_export_file, name="full_export_file"),
    path("filter/", tools.list_filter, name="list_filter"),
    path("columns/", tools.list_columns, name="list_columns"),
    path("views/", saved.view_list, name="view_list"),
    path("views/new/", saved.view_create, name="view_create"),
    path("views/<int:pk>/default/", saved.view_default, name="view_default"),
    path("views/<int:pk>/sharing/", saved.view_sharing, name="view_sharing"),
    path("views/<int:pk>/removal/", saved.view_removal, name="view_removal"),
    path("exports/new/", exports.export_create, name="export_create"),
    path("exports/<int:pk>/", exports.export_detail, name="export_detail"),
    path("exports/<int:pk>/file/", exports.export_file, name="export_file"),
    path("tags/<str:kind>/<int:pk>/", tags.record_tags, name="record_tags"),
    path("cells/<str:kind>/<int:pk>/<str:field>/", cells.cell_update, name="cell_update"),
    path("bulk/new/", bulk.bulk_create, name="bulk_create"),
    path("bulk/<int:pk>/", bulk.bulk_detail, name="bulk_detail"),
    path("bulk/<int:pk>/undo/", bulk.bulk_undo, name="bulk_undo"),
]
