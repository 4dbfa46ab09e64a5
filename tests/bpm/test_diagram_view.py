"""The diagram in a browser: colours, bubbles, the reader's language, bpmn.io's mark, and no script from a file."""

import pytest
from django.conf import settings
from django.urls import reverse

from tests.factories.bpm import make_example, make_waiting

pytestmark = pytest.mark.browser


@pytest.fixture
def open_run(chromium, live_server, signed_in):
    """open_run(user, run) -> the page of the run with its diagram drawn; CSP and script errors fail the test."""
    errors, contexts = [], []

    def open_(user, run):
        session = signed_in(user).cookies[settings.SESSION_COOKIE_NAME].value
        context = chromium.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
        contexts.append(context)
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
        )
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if "Content Security" in line.text else None)
        page.goto(reverse("bpm:instance_detail", args=[run.pk]))
        page.wait_for_selector("[data-drawn]", timeout=20_000)
        return page

    yield open_
    for context in contexts:
        for page in context.pages:
            page.wait_for_load_state("networkidle")
        context.close()
    assert errors == []


@pytest.mark.django_db(transaction=True)
def test_the_diagram_shows_what_happened(admin_user, rep, open_run):
    rep.language = "pl"
    rep.save(update_fields=["language"])
    admin_user.first_name = "<img src=x onerror=alert(1)>"
    admin_user.save(update_fields=["first_name"])
    make_example(admin_user, "commercial_offer", "proposal")
    run = make_waiting(rep)
    run.tasks.update(assignee=admin_user)
    page = open_run(rep, run)
    assert page.locator(".djs-element.is-done").get_attribute("data-element-id") == "Start_offer"
    assert page.locator(".djs-element.is-current").get_attribute("data-element-id") == "Task_attach_offer"
    assert "<img src=x onerror=alert(1)>" in page.locator(".bubble").inner_text()
    assert page.locator(".bubble img").count() == 0
    drawn = " ".join(page.locator("[data-element-id=Task_attach_offer] tspan").all_text_contents())
    assert drawn.replace(" ", "") == "Dołączofertęhandlową"
    mark = page.locator(".bjs-powered-by")
    box = mark.bounding_box()
    on_top = page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).closest('.bjs-powered-by') !== null",
        [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2],
    )
    assert (mark.is_visible(), on_top) == (True, True)
