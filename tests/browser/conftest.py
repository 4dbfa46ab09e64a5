import pytest

from tests.factories.browser import Hand, Product


@pytest.fixture(scope="session")
def product(tmp_path_factory):
    """One running product for all journeys; each journey uses records of its own."""
    started = Product(tmp_path_factory.mktemp("product"))
    try:
        started.wait()
        yield started
    finally:
        started.stop()


@pytest.fixture
def person(chromium, product):
    """person(login, width=1440) -> a Hand signed in as that demo user; script and CSP errors fail the test."""
    contexts, errors = [], []

    def sign_in(login, width=1440):
        context = chromium.new_context(
            base_url=product.url,
            viewport={"width": width, "height": 900},
            locale="en-GB",
            reduced_motion="reduce",
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        # The administration's theme has scripts of its own.
        page.on("pageerror", lambda error: errors.append(str(error)) if "/admin/" not in page.url else None)
        page.on("console", lambda line: errors.append(line.text) if "Content Security" in line.text else None)
        page.goto("/accounts/login/")
        page.fill("#id_login", login)
        page.fill("#id_password", "demo")
        page.click("button.btn-primary")
        page.wait_for_url("**/")
        return Hand(page)

    yield sign_in
    for context in contexts:
        context.close()
    assert errors == []
