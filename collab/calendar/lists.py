"""The list of one person's activities: what is overdue, today's, later, done."""

from __future__ import annotations

from functools import cached_property

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from collab.calendar.models import Activity
from collab.calendar.selectors import calendars_open_to, day_bounds, involving, part_condition, with_cards
from crm.listing.lists import RecordList
from crm.people.search import matching

DONE = "done"
TABS = [("overdue", _("Overdue")), ("today", _("Today")), ("later", _("Later")), (DONE, _("Done"))]


class ActivityList(RecordList):
    """`person` is the reader, or somebody whose calendar he may see (parameter `owner`).

    A search (`q`) goes through everything the reader may see, whosever it is, the latest entered first.
    """

    model = Activity
    tabs = TABS
    default_sort = "starts_at"

    def __init__(self, user, params):
        super().__init__(user, params)
        self.now = timezone.now()
        self.sort = "-id" if self.query else "-done_at" if self.tab == DONE else "starts_at"

    @cached_property
    def people(self) -> list:
        """The reader first, then everybody else whose calendar he may see."""
        return [self.user, *calendars_open_to(self.user).exclude(pk=self.user.pk)]

    @cached_property
    def person(self):
        wanted = self.params.get("owner", "")
        return next((one for one in self.people if str(one.pk) == wanted), self.user)

    @cached_property
    def visible(self) -> QuerySet:
        if self.query:
            return Activity.objects.visible_to(self.user).filter(matching(self.query, self.user, Activity))
        return involving(self.person).visible_to(self.user)

    @property
    def nearest(self) -> QuerySet:
        """Of what repeats after today only the next."""
        return self.visible.nearest(day_bounds(self.now)[1])

    def condition(self, tab: str) -> Q:
        if tab == DONE:
            return Q(done_at__isnull=False)
        parts = {"today": ("now", "today")}.get(tab, (tab,))
        within = Q()
        for part in parts:
            within |= part_condition(part, self.now)
        return Q(within, done_at=None, cancelled_at=None)

    def tab_counts(self) -> list[tuple[str, str, int]]:
        """One query counts what is open; how much was done in all the years is not asked."""
        asked = {tab: Count("pk", filter=self.condition(tab)) for tab, _label in TABS if tab != DONE}
        counts = self.nearest.open().order_by().aggregate(**asked)
        return [(tab, label, counts.get(tab)) for tab, label in TABS]

    @cached_property
    def matching_rows(self) -> QuerySet:
        if self.query:
            return self.visible
        if self.tab in dict(TABS):
            return self.nearest.filter(self.condition(self.tab))
        return self.nearest.open()

    def joined(self, rows: QuerySet) -> QuerySet:
        return rows.select_related("owner", "series")

    @cached_property
    def lines(self) -> list[Activity]:
        """The page's rows with the cards the reader may see."""
        return with_cards(self.user, self.page)
