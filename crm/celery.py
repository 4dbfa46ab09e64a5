"""Celery is only the doorbell: it carries "there is work" to the workers. The work itself is rows of `crm.jobs`."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
TRANSPORT_ALIASES["folder"] = "crm.jobs.transport:Transport"


def configuration() -> dict:
    """How the messages travel: through Redis, else through a folder of the data directory."""
    from django.conf import settings

    common = {
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        # Below the visibility timeout, else Redis hands a running task to a second worker.
        "task_time_limit": 3600,
        "task_publish_retry": False,
        "worker_hijack_root_logger": False,
        "broker_connection_retry_on_startup": True,
        "beat_schedule": {
            "sweep": {
                "task": "jobs.sweep",
                "schedule": 5.0,
                "options": {"expires": 5, "ignore_result": True},
            },
        },
    }
    if settings.REDIS_URL:
        options = {"visibility_timeout": 7200, "socket_connect_timeout": 1, "socket_timeout": 10}
        return {**common, "broker_url": settings.REDIS_URL, "broker_transport_options": options}
    folder = settings.DATA_DIR / "broker"
    for name in ("messages", "control"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    options = {
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.1,
    }
    return {**common, "broker_url": "folder://localhost/", "broker_transport_options": options}


app = Celery("crm", set_as_current=True)
app.add_defaults(configuration)
app.autodiscover_tasks()
