from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HistoryConfig(AppConfig):
    name = "crm.history"
    label = "history"
    verbose_name = _("History")

    def ready(self) -> None:
        from crm.history import receivers  # noqa: F401
        from crm.history.kinds import EventKind, Group, register_event

        register_event(EventKind("comment_added", _("left a note"), "chat-left-text", Group.NOTE, "grey"))
        register_event(
            EventKind(
                "attribute_value_lost",
                _("changed the kind of “%(attribute)s”; the value did not fit"),
                "arrow-repeat",
                Group.CHANGE,
                "amber",
            ),
            EventKind("record_deleted", _("put the record into the recycle bin"), "trash3", Group.CHANGE, "red"),
            EventKind(
                "record_restored", _("took the record out of the recycle bin"), "arrow-counterclockwise",
                Group.CHANGE, "blue",
            ),
        )  # fmt: skip
