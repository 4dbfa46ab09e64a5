"""Processes as an administrator keeps them (definitions, versions, gates), their runs, and the tasks of people.

The truth of a run is the small `state` on its instance; node runs and user tasks are rows written in the same
transaction, because people query rows.
"""

from bpm.models.definitions import (
    ImmutableVersionError,
    ProcessDefinition,
    ProcessVersion,
    StageGate,
    VersionQuerySet,
    VersionStatus,
    graph_of,
)
from bpm.models.runs import (
    OPEN_INSTANCE,
    InstanceStatus,
    NodeRun,
    NodeStatus,
    ProcessEvent,
    ProcessInstance,
    RecordBoundQuerySet,
    Subscription,
)
from bpm.models.startable import StartableProcess
from bpm.models.tasks import TaskStatus, UserTask, UserTaskQuerySet
from bpm.models.triggers import Period, Trigger, TriggerEvent, TriggerEventKind, TriggerKind

__all__ = [
    "OPEN_INSTANCE",
    "ImmutableVersionError",
    "InstanceStatus",
    "NodeRun",
    "NodeStatus",
    "Period",
    "ProcessDefinition",
    "ProcessEvent",
    "ProcessInstance",
    "ProcessVersion",
    "RecordBoundQuerySet",
    "StageGate",
    "StartableProcess",
    "Subscription",
    "TaskStatus",
    "Trigger",
    "TriggerEvent",
    "TriggerEventKind",
    "TriggerKind",
    "UserTask",
    "UserTaskQuerySet",
    "VersionQuerySet",
    "VersionStatus",
    "graph_of",
]
