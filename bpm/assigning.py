"""Who does a task: what the diagram says, turned into a person or a role of this company."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_noop

from bpm.engine.events import OpenUserTask
from bpm.engine.phrases import Phrase
from bpm.models import ProcessInstance, UserTask
from crm.people.absences import stand_in, substitutes
from crm.people.kinds import kind_of
from crm.people.models import Department, Role, User


class NobodyFound(Exception):
    """No person can do the task; `phrase` says why."""

    def __init__(self, text: str, **params: str) -> None:
        self.phrase = Phrase(text, params)
        super().__init__(self.phrase.said())


@dataclass(frozen=True)
class Holder:
    """A person, or everybody who has a role."""

    user: User | None = None
    role: Role | None = None


def people_of(task: UserTask, instance: ProcessInstance) -> list[User]:
    """In whose inboxes an open task stands: its assignee's and his substitute's, or everybody's of its role."""
    if task.assignee:
        return [task.assignee, *_deputies(task.assignee, instance)]
    return list(task.candidate_role.users.filter(is_active=True)) if task.candidate_role else []


def _deputies(user: User, instance: ProcessInstance) -> list[User]:
    """Who stands in for the user today; not whoever asked for the move that the task decides."""
    barred = {user.pk, instance.started_by_id} if instance.request_id else {user.pk}
    pk = stand_in(user.pk, substitutes())
    return [] if pk is None or pk in barred else list(User.objects.filter(pk=pk, is_active=True))


def holder_of(effect: OpenUserTask, instance: ProcessInstance, record) -> Holder:
    """Who is asked. Raises NobodyFound, also for somebody who may not see the record."""
    role_keys = [effect.candidate_role, *effect.candidate_groups]
    if not effect.assignee and any(role_keys):
        return _of_role([key for key in role_keys if key], record)
    user = person(effect.assignee or "requester", requester=instance.started_by, record=record)
    if not _sees(user, record):
        text = gettext_noop("%(user)s may not see this record, so the task cannot be given to them.")
        raise NobodyFound(text, user=str(user))
    return Holder(user=user)


def person(word, *, requester: User, record) -> User:
    """`requester`, `owner`, `head`, a login or a user's id. Raises NobodyFound."""
    found: User | None
    if word == "requester":
        found = requester
    elif word == "owner":
        found = record.owner
    elif word == "head":
        found = head_of(record.owner, others={requester.pk})
    else:
        found = _named(word)
    if found is None or not found.is_active:
        raise NobodyFound(_MISSING.get(word, _NO_LOGIN), login=str(word)[:150])
    return found


_NO_LOGIN = gettext_noop("There is nobody with the login “%(login)s” who works here.")
_MISSING = {
    "requester": gettext_noop("Whoever started the process does not work here any more."),
    "owner": gettext_noop("The record has no owner who works here."),
    "head": gettext_noop("There is no head above the owner's department, and no administrator."),
}


def _named(word) -> User | None:
    if isinstance(word, int) and not isinstance(word, bool):
        return User.objects.filter(pk=word).first()
    return User.objects.filter(username=str(word)).first()


def head_of(owner: User | None, others: set[int] = frozenset()) -> User | None:
    """The nearest head above the owner's department who is neither the owner nor among `others`, else an administrator.

    Whoever asks for a move must not be the one to agree to it.
    """
    barred = {*others, owner.pk if owner else 0}
    department = owner.department if owner else None
    seen: set[int] = set()
    while department is not None and department.pk not in seen:
        if department.head_id and department.head_id not in barred and department.head.is_active:
            return department.head
        seen.add(department.pk)
        department = Department.objects.select_related("head").filter(pk=department.parent_id).first()
    administrators = User.objects.filter(roles__key="administrator", is_active=True).exclude(pk__in=barred)
    return administrators.order_by("pk").first()


def _of_role(keys: list[str], record) -> Holder:
    role = Role.objects.filter(key__in=keys).first()
    if role is None:
        raise NobodyFound(gettext_noop("There is no role “%(role)s”."), role=", ".join(keys))
    if not any(_sees(user, record) for user in role.users.filter(is_active=True)[:50]):
        raise NobodyFound(
            gettext_noop("Nobody with the role “%(role)s” may see this record."), role=role.name
        )
    return Holder(role=role)


def _sees(user: User, record) -> bool:
    return kind_of(record).visible(user).filter(pk=record.pk).exists()
