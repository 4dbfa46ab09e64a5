"""The calendar under a mouse: moving and resizing what stands there, and moving some of what repeats."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
WARSAW = ZoneInfo("Europe/Warsaw")


def monday() -> date:
    """The Monday of the week after next, where the demo has planned nothing."""
    today = datetime.now(WARSAW).date()
    return today + timedelta(days=21 - today.weekday())


def plan(page, name, repeat="") -> str:
    """Plans a meeting of its own for each try; its subject."""
    subject = f"{name} {datetime.now(WARSAW):%H%M%S}"
    page.goto("/calendar/activities/new/?kind=meeting")
    page.fill("#form [name=subject]", subject)
    page.fill("#form [name=starts_at]", f"{monday()}T09:00")
    page.select_option("#form [name=repeat]", repeat)
    if repeat:
        expect(page.locator(".repeat-sentence")).to_contain_text("Every week on Monday.", timeout=20_000)
    page.click("#form button.btn-primary")
    expect(page.get_by_role("status").filter(has_text="Planned.")).to_be_visible(timeout=20_000)
    return subject


def week(page, day, subject):
    page.goto(f"/calendar/?view=week&date={day}")
    event = page.locator(".cal-event", has_text=subject)
    expect(event).to_have_count(1, timeout=20_000)
    page.wait_for_load_state("networkidle")
    return event


def pull(hand, event, *, days=0, hours=0, edge=False):
    """Drags an event of one hour by days and hours, or with `edge` its end."""
    hand.deeds += 1
    event.scroll_into_view_if_needed()
    event.hover()
    box, mouse = event.bounding_box(), hand.page.mouse
    columns = hand.page.locator("#calendar [data-date]")
    across = columns.nth(2).bounding_box()["x"] - columns.nth(1).bounding_box()["x"]
    x, y = box["x"] + 40, box["y"] + (box["height"] - 2 if edge else 6)
    mouse.move(x, y)
    mouse.down()
    mouse.move(x, y + 6, steps=3)
    mouse.move(x + days * across, y + hours * (box["height"] + 1), steps=12)
    hand.page.wait_for_timeout(100)
    mouse.up()


def times(product, subject) -> list[tuple[int, str, int]]:
    """Of the first four: the day from `monday` on, the start, the length in minutes."""
    rows = product.select(
        "SELECT starts_at, ends_at FROM collab_calendar_activity WHERE subject = ? ORDER BY starts_at LIMIT 4",
        subject,
    )
    return [_span(*(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in row)) for row in rows]


def _span(starts, ends) -> tuple[int, str, int]:
    local = starts.astimezone(WARSAW)
    return (local.date() - monday()).days, f"{local:%H:%M}", (ends - starts) // timedelta(minutes=1)


def test_an_activity_is_moved_and_resized(person, product):
    hand = person("teammate")
    page = hand.page
    subject = plan(page, "Przegląd maszyn")
    event = week(page, monday(), subject)
    with page.expect_response("**/move/"):
        pull(hand, event, days=2, hours=2)
    expect(page.get_by_role("status").filter(has_text="Moved to")).to_be_visible(timeout=20_000)
    [(day, clock, minutes)] = times(product, subject)
    assert (day, minutes) == (2, 60) and "10:30" < clock < "11:30"
    with page.expect_response("**/move/"):
        pull(hand, week(page, monday(), subject), hours=1, edge=True)
    [(day, same, minutes)] = times(product, subject)
    assert (day, same) == (2, clock) and 90 <= minutes <= 150
    assert hand.deeds == 2


def test_a_weekly_meeting_moves_from_one_week_on(person, product):
    hand = person("teammate")
    page = hand.page
    subject = plan(page, "Odprawa hali", "weekly")
    assert times(product, subject) == [(day, "09:00", 60) for day in (0, 7, 14, 21)]
    hand.start()
    pull(hand, week(page, monday() + timedelta(days=7), subject), days=1, hours=2)
    dialog = page.locator("dialog[open]")
    dropped = re.compile(f"{monday() + timedelta(days=8)}T1[01]:")
    expect(dialog.locator("[name=starts_at]")).to_have_value(dropped, timeout=20_000)
    clock = dialog.locator("[name=starts_at]").input_value()[-5:]
    hand.click(dialog.get_by_label("This and the following"))
    hand.click(dialog.get_by_role("button", name="Move"))
    expect(dialog).to_have_count(0, timeout=20_000)
    assert hand.deeds == 3
    assert times(product, subject) == [(0, "09:00", 60), *((day, clock, 60) for day in (8, 15, 22))]
    event = week(page, monday() + timedelta(days=14), subject)
    expect(event).to_contain_text(clock)
    event.click()
    expect(dialog).to_contain_text("Every week on Tuesday", timeout=20_000)


def test_a_template_fills_what_nobody_has_typed(person):
    """What another one has filled goes with it; what was typed or chosen stays."""
    hand = person("teammate")
    page = hand.page
    page.goto("/calendar/activities/new/")
    choice = page.locator("[data-template-choice] select")

    def reads() -> list[str]:
        hand.deeds += 1
        kind = page.locator("#form [name=kind]:checked").input_value()
        ticked = page.locator("#form [name=remind]:checked").evaluate_all(
            "all => all.map((one) => one.value)"
        )
        rest = [
            page.locator(f"#form [name={name}]").input_value()
            for name in ("subject", "minutes", "description")
        ]
        return [kind, *rest, ",".join(ticked)]

    choice.select_option(index=2)
    assert reads() == ["meeting", "Wizyta w zakładzie", "90", "Obejrzeć halę, zapytać o budżet.", "60,1440"]
    choice.select_option(index=3)
    assert reads() == ["letter", "Podziękowanie za spotkanie", "0", "", "5"]
    page.fill("#form [name=subject]", "Mine")
    page.select_option("#form [name=minutes]", "30")
    choice.select_option(index=1)
    assert reads() == ["call", "Mine", "30", "Co obejrzeli, kto decyduje, do kiedy oferta.", "5"]
