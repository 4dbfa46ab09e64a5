"""What the demo's stages require without a process."""

from __future__ import annotations

from crm.web.demo import Demo, demo_step
from funnel.models import Mode, Stage, Way
from funnel.requiring import add_requirement

_REQUIRED = [
    ("needs", "deals.fields", Way.ENTRY, Mode.BLOCKING, {"fields_asked": ["amount", "close_date"]}),
    ("needs", "collab_calendar.activity", Way.ENTRY, Mode.ADVISORY, {"activity": "call", "at_stage": False}),
]


@demo_step(95)
def load(demo: Demo) -> None:
    for stage_key, kind, way, mode, options in _REQUIRED:
        for stage in Stage.objects.filter(key=stage_key):
            add_requirement(
                stage=stage, kind=kind, way=way, mode=mode, options=options, by=demo.users["admin"]
            )
