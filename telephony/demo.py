"""Demo calls: an exchange that is played, a telephone for each seller, and some weeks of calls."""

from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone

from counterparties.models import Contact
from counterparties.services import edit_contact
from crm.web.demo import Demo, demo_step
from leads.models import Lead
from telephony.adapters.webhook import read_event
from telephony.flows import flow_named
from telephony.ingest import take_in
from telephony.models import Call, CallEvent, Connection, Extension
from telephony.recordings import keep
from telephony.services import note_call, wrap_up
from telephony.simulator import create_simulator
from telephony.sounds import tune_of

LINE = "+48221234500"
PHONES = ("rep", "teammate", "head", "outsider", "admin")
_FLOWS = (
    "incoming_recorded", "outgoing_answered", "ring_group", "outgoing_no_answer", "incoming_answered", "queue",
    "outgoing_answered", "attended_transfer", "outgoing_busy", "voicemail",
)  # fmt: skip
_NOTES = (
    ("agreed", "Potwierdził termin dostawy i prosi o aneks do umowy."),
    ("interested", "Chce zobaczyć urządzenie u innego klienta, wyślę referencje."),
    ("call_back", "Budżet po zarządzie, zadzwonić w przyszłym tygodniu."),
    ("refused", "Wybrali dotychczasowego dostawcę, wrócić do tematu wiosną."),
    ("", ""),
)
DAYS = 21


@demo_step(70, "small")
def load(demo: Demo) -> None:
    connection = make_exchange(demo)
    sellers = [demo.users[login] for login in PHONES[:4]]
    for number, seller in enumerate(sellers):
        callers = _callers_of(seller)
        for turn, client in enumerate(callers):
            day = 1 + (number * 5 + turn * 3) % DAYS
            _play(demo, connection, _FLOWS[(number + turn) % len(_FLOWS)], client, seller, sellers, day, turn)
    _missed(demo, connection, sellers)
    CallEvent.objects.filter(connection=connection).update(received_at=F("occurred_at"))


def make_exchange(demo: Demo) -> Connection:
    """The simulated exchange and the telephones."""
    connection = create_simulator(name="Symulator", by=demo.users["admin"])
    connection.lines, connection.region = LINE, "PL"
    connection.save()
    connection.rota.set([demo.users["rep"], demo.users["teammate"]])
    Extension.objects.bulk_create(
        Extension(connection=connection, number=str(101 + place), user=demo.users[login])
        for place, login in enumerate(PHONES)
    )
    return connection


def _callers_of(seller) -> list[str]:
    contacts = Contact.objects.filter(owner=seller).exclude(phone="").order_by("pk")
    leads = Lead.objects.filter(owner=seller).exclude(phone="").order_by("pk")
    numbers = [*contacts.values_list("phone", flat=True)[:7], *leads.values_list("phone", flat=True)[:3]]
    return list(dict.fromkeys(numbers))


def _missed(demo: Demo, connection: Connection, sellers: list) -> None:
    """One that was called back, one of today that waits, and a number that two people share."""
    rep = demo.users["rep"]
    callers = _callers_of(rep)
    if len(callers) < 2:
        return
    _play(demo, connection, "incoming_missed", callers[0], rep, sellers, 2, 90)
    _play(demo, connection, "outgoing_answered", callers[0], rep, sellers, 1, 91)
    people = list(Contact.objects.filter(owner=rep).exclude(phone="").order_by("pk")[:2])
    phones = [*people[1].phones, {"raw": people[0].phone}]
    edit_contact(contact=people[1], values={"phones": phones}, version=people[1].version, by=rep)
    start = timezone.now() - timedelta(minutes=25)
    _take_in(connection, "caller_gave_up", callers[1], rep, sellers, start, "today")


def _play(
    demo: Demo, connection: Connection, flow: str, client: str, seller, sellers, day: int, turn: int
) -> None:
    start = demo.now - timedelta(days=day, minutes=-17 * (turn % 25))
    call = _take_in(connection, flow, client, seller, sellers, start, f"{seller.username}-{turn}")
    outcome, note = _NOTES[turn % len(_NOTES)]
    if call.answered_at and note and call.owner is not None:
        note_call(call=call, note=note, outcome=outcome, by=call.owner)
    for recording in call.recordings.all():
        keep(recording, tune_of(recording.reference))
    if call.owner is not None:
        wrap_up(call=call, by=call.owner)


def _take_in(
    connection: Connection, flow: str, client: str, seller, sellers, start: datetime, name: str
) -> Call:
    phones = {one.user_id: one.number for one in connection.extensions.all()}
    others = [phones[one.pk] for one in sellers if one != seller]
    cast = {
        "client": client, "line": LINE, "call": f"demo-{name}", "origin": "", "ext1": phones[seller.pk],
        "ext2": others[0], "ext3": others[1],
    }  # fmt: skip
    events = flow_named(flow).events(cast, start)
    take_in(connection=connection, facts=[read_event(event) for event in events])
    return Call.objects.select_related("owner").get(connection=connection, provider_id=cast["call"])
