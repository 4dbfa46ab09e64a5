from django.urls import path

from bpm.pages import PANELS
from bpm.views import cards, definitions, runs, tasks, triggers

app_name = "bpm"
panels = [
    path(
        f"of-{name.removeprefix('bpm:').removesuffix('_processes')}/<int:pk>/", cards.record_processes,
        {"kind": kind}, name=name.removeprefix("bpm:"),
    )
    for kind, name in PANELS.items()
]  # fmt: skip
urlpatterns = [
    *panels,
    path("", runs.instance_list, name="instance_list"),
    path("tasks/", tasks.task_list, name="task_list"),
    path("tasks/button/", tasks.inbox_button, name="inbox_button"),
    path("tasks/<int:pk>/", tasks.task_detail, name="task_detail"),
    path("tasks/<int:pk>/completion/", tasks.task_completion, name="task_completion"),
    path("tasks/<int:pk>/claim/", tasks.task_claim, name="task_claim"),
    path("tasks/<int:pk>/return/", tasks.task_return, name="task_return"),
    path("tasks/<int:pk>/handover/", tasks.task_handover, name="task_handover"),
    path("tasks/<int:pk>/comments/", tasks.task_comment, name="task_comment"),
    path("retries/new/", runs.retry_create, name="retry_create"),
    path("retries/<int:pk>/", runs.retry_detail, name="retry_detail"),
    path("runs/<int:pk>/", runs.instance_detail, name="instance_detail"),
    path("runs/<int:pk>/diagram/", runs.diagram_xml, name="diagram_xml"),
    path("runs/<int:pk>/cancellation/", runs.instance_cancellation, name="instance_cancellation"),
    path("runs/<int:pk>/suspension/", runs.instance_suspension, name="instance_suspension"),
    path("runs/<int:pk>/resumption/", runs.instance_resumption, name="instance_resumption"),
    path("runs/<int:pk>/variables/", runs.instance_variable, name="instance_variable"),
    path("runs/<int:pk>/steps/<int:token>/move/", runs.instance_move, name="instance_move"),
    path("runs/<int:pk>/steps/<int:token>/retry/", runs.instance_retry, name="instance_retry"),
    path("runs/<int:pk>/steps/<int:token>/skip/", runs.instance_skip, name="instance_skip"),
    path("definitions/", definitions.definition_list, name="definition_list"),
    path("definitions/new/", definitions.definition_upload, name="definition_upload"),
    path("definitions/<int:pk>/", definitions.definition_detail, name="definition_detail"),
    path("definitions/<int:pk>/gates/", definitions.gate_create, name="gate_create"),
    path("definitions/<int:pk>/triggers/new/", triggers.trigger_create, name="trigger_create"),
    path("triggers/<int:pk>/switch/", triggers.trigger_switch, name="trigger_switch"),
    path("of/<str:kind>/<int:pk>/runs/", cards.run_offers, name="run_offers"),
    path("of/<str:kind>/<int:pk>/runs/<int:trigger>/", cards.run_start, name="run_start"),
    path("gates/<int:pk>/removal/", definitions.gate_delete, name="gate_delete"),
    path("versions/<int:pk>/diagram/", definitions.version_xml, name="version_xml"),
    path("versions/<int:pk>/publication/", definitions.version_publication, name="version_publication"),
]
