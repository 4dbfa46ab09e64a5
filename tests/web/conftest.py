import pytest


@pytest.fixture
def open_page(chromium, live_server):
    """open_page(user=None, theme="light", width=1440) -> a page; script and CSP errors fail the test."""
    contexts, errors = [], []

    def open_(user=None, theme="light", width=1440):
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": 900},
            color_scheme=theme,
            locale="en-GB",
            reduced_motion="reduce",
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if "Content Security" in line.text else None)
        if user:
            page.goto("/accounts/login/")
            page.fill("#id_login", user.username)
            page.fill("#id_password", "demo")
            page.click("button.btn-primary")
            page.wait_for_url("**/")
        return page

    yield open_
    for context in contexts:
        for page in context.pages:
            # A request still being answered would hold the database that is emptied next.
            page.wait_for_load_state("networkidle")
        context.close()
    assert errors == []
