"""The product as an app: Chromium finds it installable, and without a network it says so and keeps nobody's page."""

import shutil

import pytest
from django.test import Client

from tests.factories.browser import CHROMIUM


def test_manifest_and_service_worker_name_nobody(client, db):
    manifest = client.get("/manifest.webmanifest")
    assert manifest["Content-Type"] == "application/manifest+json"
    assert [icon["purpose"] for icon in manifest.json()["icons"]] == ["any", "any", "maskable"]
    worker = client.get("/sw.js")
    assert (worker["Content-Type"], worker["Cache-Control"]) == ("text/javascript", "no-cache")
    page = client.get("/offline/").content.decode()
    assert [page.count(f'<section lang="{code}"') for code in ("en", "pl")] == [1, 1]
    for address in ("/manifest.webmanifest", "/sw.js", "/offline/"):
        assert client.post(address).status_code == 405


def test_the_offline_page_is_the_same_for_everybody(signed_in, rep, db):
    assert signed_in(rep).get("/offline/").content == Client().get("/offline/").content


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_chromium_would_install_it_and_shows_the_offline_page(chromium, live_server, company, tmp_path):
    context = chromium.browser_type.launch_persistent_context(
        str(tmp_path), executable_path=shutil.which("chromium"), args=CHROMIUM, base_url=live_server.url
    )
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto("/accounts/login/")
    page.fill("#id_login", "rep")
    page.fill("#id_password", "demo")
    page.click("button.btn-primary")
    page.wait_for_url("**/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    assert context.new_cdp_session(page).send("Page.getInstallabilityErrors") == {"installabilityErrors": []}
    kept = page.evaluate(
        """async () => {
            const cache = await caches.open((await caches.keys())[0]);
            return (await cache.keys()).map((one) => new URL(one.url).pathname);
        }"""
    )
    assert [path for path in kept if not path.startswith("/static/")] == ["/offline/"]
    page.wait_for_load_state("networkidle")
    context.set_offline(True)
    page.goto("/deals/")
    assert page.locator("h1").inner_text() == "No connection"
    context.set_offline(False)
    context.close()
