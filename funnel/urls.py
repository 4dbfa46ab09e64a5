from django.urls import path

from funnel.views import funnels, requirements

app_name = "funnel"
urlpatterns = [
    path("", funnels.funnel_list, name="funnel_list"),
    path("new/", funnels.funnel_create, name="funnel_create"),
    path("order/", funnels.funnel_order, name="funnel_order"),
    path("<int:pk>/edit/", funnels.funnel_update, name="funnel_update"),
    path("<int:pk>/moves/", funnels.stage_moves, name="stage_moves"),
    path("<int:pk>/order/", funnels.stage_order, name="stage_order"),
    path("<int:pk>/stages/new/", funnels.stage_create, name="stage_create"),
    path("stages/<int:pk>/edit/", funnels.stage_update, name="stage_update"),
    path("stages/<int:pk>/removal/", funnels.stage_delete, name="stage_delete"),
    path("stages/<int:pk>/return/", funnels.stage_restore, name="stage_restore"),
    path("types/new/", funnels.type_create, name="type_create"),
    path("types/<int:pk>/edit/", funnels.type_update, name="type_update"),
    path("stages/<int:pk>/requirements/new/", requirements.requirement_create, name="requirement_create"),
    path("requirements/<int:pk>/removal/", requirements.requirement_delete, name="requirement_delete"),
]
