"""The web server in a process of its own, with a kind of record for the tests: a department, seen by its people.

`actor.py setup` prints the session keys of two people; `actor.py serve PORT`; `actor.py publish …`.
"""

import json
import os
import sys
from dataclasses import dataclass

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402

from crm.notify.services import notify, publish  # noqa: E402
from crm.people.kinds import RecordKind, register_kind  # noqa: E402
from crm.people.models import Department, User  # noqa: E402


@dataclass(frozen=True)
class OwnDepartment(RecordKind):
    def visible(self, user, action="view"):
        return Department.objects.filter(people=user)


register_kind(OwnDepartment(Department, "department", "departments", "people", "jobs:job_progress"))


def session_of(user) -> str:
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[1]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return store.session_key


def setup() -> None:
    found = {}
    for name in ("insider", "stranger"):
        department = Department.objects.create(name=name)
        user = User.objects.create_user(name, department=department)
        found[name] = {"session": session_of(user), "department": department.pk}
    print(json.dumps(found))


def serve(port: str) -> None:
    import uvicorn

    uvicorn.run("crm.asgi:application", port=int(port), log_level="warning", timeout_graceful_shutdown=1)


def say(verb: str, name: str = "insider") -> None:
    user = User.objects.get(username=name)
    if verb == "record":
        publish(kind="test.changed", record=user.department)
    elif verb == "person":
        publish(kind="test.personal", users=[user])
    elif verb == "notify":
        notify(user=user, kind="test", text="Hello %(name)s", params={"name": name}, record=user.department)
    elif verb == "dismiss":
        User.objects.filter(pk=user.pk).update(is_active=False)


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    {"setup": setup, "serve": serve, "say": say}[verb](*rest)
