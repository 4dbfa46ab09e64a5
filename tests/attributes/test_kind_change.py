"""An administrator changes the kind of an attribute: preview, job, what is lost stays in history."""

import pytest
from django.urls import reverse

from crm.attributes.consistency import differences
from crm.attributes.conversion import convert_value, preview_change, retyped, start_change
from crm.attributes.models import Attribute, AttributeValue
from crm.attributes.services import attributes_of
from crm.history.cards import card_history
from crm.history.models import Change
from crm.jobs.models import Job
from tests.factories.attributes import CHOICES, make_attribute
from tests.factories.counterparties import make_counterparty

pytestmark = pytest.mark.django_db


def kind_of(kind: str) -> Attribute:
    choices = CHOICES if kind in {"choice", "choices"} else []
    return Attribute(
        pk=1, key="x", name="X", kind=kind, choices=choices, link_kind="counterparties.counterparty"
    )


@pytest.mark.parametrize(
    ("old", "value", "new", "expected"),
    [
        ("text", "1 000", "number", "1000"),
        ("text", "about 5", "number", None),
        ("text", "12,50", "money", 1250),
        ("number", "12.345", "money", None),
        ("number", "12.34", "money", 1234),
        ("money", 123456, "number", "1234.56"),
        ("money", 123456, "text", "1234.56"),
        ("text", "28.02.2026", "date", "2026-02-28"),
        ("date", "2026-02-28", "text", "2026-02-28"),
        ("text", "złoty", "choice", "gold"),
        ("text", "silver", "choice", None),
        ("choice", "gold", "text", "Gold"),
        ("choice", "gold", "choices", ["gold"]),
        ("choices", ["gold"], "choice", "gold"),
        ("choices", ["gold", "new"], "choice", None),
        ("choices", ["gold", "new"], "text", "Gold, New"),
        ("text", "gold; New", "choices", ["gold", "new"]),
        ("text", "tak", "bool", True),
        ("text", "perhaps", "bool", None),
        ("bool", False, "text", "0"),
        ("bool", True, "number", "1"),
        ("text", "example.com", "url", "https://example.com"),
        ("text", "javascript:alert(1)", "url", None),
        ("url", "https://example.com", "text", "https://example.com"),
        ("text", "601 234 567", "phone", "+48601234567"),
        ("text", "A@b.example", "email", "a@b.example"),
        ("text", "x", "file", None),
        ("link", "counterparties.counterparty/1", "text", None),
        ("number", "not a number", "text", "not a number"),
    ],
)
def test_what_a_value_becomes(old, value, new, expected, rep):
    assert convert_value(kind_of(old), kind_of(new), value, by=rep) == expected


def test_people_and_records_are_found_by_name_among_what_one_sees(rep, teammate, outsider):
    mine = make_counterparty(rep, name="Żubr")
    make_counterparty(outsider, name="Secret")
    text, person, link = kind_of("text"), kind_of("person"), kind_of("link")
    assert convert_value(text, person, str(teammate), by=rep) == teammate.pk
    assert convert_value(person, text, teammate.pk, by=rep) == str(teammate)
    assert convert_value(text, link, "żubr", by=rep) == f"counterparties.counterparty/{mine.pk}"
    assert convert_value(text, link, "Secret", by=rep) is None


@pytest.fixture
def code(rep):
    attribute = make_attribute("code", filterable=True)
    for name, value in (("A", "1 000"), ("B", "about 5"), ("C", "7")):
        make_counterparty(rep, name=name, attributes={"code": value})
    return attribute


def test_the_preview_changes_nothing(code, admin_user, outsider):
    target = retyped(code, kind="number")
    found = preview_change(attribute=code, target=target, by=admin_user)
    assert (found.kept, found.lost, found.capped) == (2, 1, False)
    assert (found.kept_samples, found.lost_samples) == ([("1 000", "1000"), ("7", "7")], ["about 5"])
    blind = preview_change(attribute=code, target=target, by=outsider)
    assert (blind.kept, blind.kept_samples, blind.lost_samples) == (2, [], [])
    code.refresh_from_db()
    assert code.kind == "text"


def test_the_job_rewrites_values_rows_and_keeps_the_lost_in_history(code, admin_user, rep, run_jobs):
    start_change(attribute=code, target=retyped(code, kind="number"), by=admin_user)
    assert code not in attributes_of(code.attribute_set_id)
    run_jobs()
    code.refresh_from_db()
    assert (code.kind, code.is_converting, Job.objects.get(kind="attributes.change_kind").result) == (
        "number", False, {"kept": 2, "lost": 1},
    )  # fmt: skip
    rows = AttributeValue.objects.filter(attribute=code).order_by("record_id")
    assert [(row.text, row.number) for row in rows] == [(None, 1000), (None, 7)]
    assert list(differences()) == []
    change = Change.objects.select_related("event").get(field="attr_code")
    assert (change.old, change.new, change.old_text) == ("about 5", None, "about 5")
    record = make_counterparty(rep).__class__.objects.get(pk=change.event.subject_id)
    assert record.attributes == {}
    line = card_history(user=rep, record=record).lines[0]
    assert line.sentence == "changed the kind of “Code”; the value did not fit"


def test_a_change_that_was_cut_off_goes_on_where_it_was(rep, admin_user, run_jobs, monkeypatch):
    from crm.attributes import tasks

    attribute = make_attribute("price", "money")
    for name in "ABCDE":
        make_counterparty(rep, name=name, attributes={"price": "12,34"})
    monkeypatch.setattr(tasks, "SLICE", 2)
    start_change(attribute=attribute, target=retyped(attribute, kind="number"), by=admin_user)
    job = Job.objects.get(kind="attributes.change_kind")
    honest, calls = tasks._convert, []

    def breaks_down(*args):
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("power cut")
        return honest(*args)

    monkeypatch.setattr(tasks, "_convert", breaks_down)
    run_jobs()
    job.refresh_from_db()
    assert job.checkpoint["kept"] == 2
    Job.objects.update(run_at=job.created_at)
    run_jobs()
    values = {
        record.attributes["price"] for record in type(make_counterparty(rep)).objects.filter(name__in="ABCDE")
    }
    attribute.refresh_from_db()
    assert (values, attribute.kind) == ({"12.34"}, "number")


def test_the_page_previews_confirms_and_tells_the_end(code, admin_user, signed_in, run_jobs):
    client, url = signed_in(admin_user), reverse("admin:attributes_kind_change", args=[code.pk])
    page = client.get(url).content.decode()
    assert "about 5" in page
    preview = client.post(url, {"kind": "number"}).content.decode()
    assert "2 values would become “number”, 1 would be lost" in preview
    assert client.post(url, {"kind": "choice"}).status_code == 422
    assert client.post(url, {"kind": "link"}).status_code == 422
    assert client.post(url, {"kind": "number", "confirm": "1"}).status_code == 302
    waiting = client.get(url)
    assert (waiting["Refresh"], "out of sight" in waiting.content.decode()) == ("2", True)
    run_jobs()
    assert "2 values kept, 1 did not fit" in client.get(url).content.decode()


def test_what_others_depend_on_goes_on_deciding(admin_user, signed_in):
    tier = make_attribute("tier", "choice")
    make_attribute("reason", shown_if_key="tier", shown_if_values=["gold"])
    url = reverse("admin:attributes_kind_change", args=[tier.pk])
    assert signed_in(admin_user).post(url, {"kind": "text"}).status_code == 422
    assert signed_in(admin_user).post(url, {"kind": "choices", "choices": "gold\nplain"}).status_code == 200


def test_the_page_is_for_administrators(code, rep, signed_in):
    url = reverse("admin:attributes_kind_change", args=[code.pk])
    assert signed_in(rep).get(url).status_code == 302
    assert signed_in(rep).post(url, {"kind": "number", "confirm": "1"}).status_code == 302
    code.refresh_from_db()
    assert code.is_converting is False
