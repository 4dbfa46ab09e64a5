"""Personas and fixtures that every test may ask for."""

import os

import pytest
from hypothesis import settings as hypothesis_settings

# Playwright's event loop would otherwise make Django refuse the ORM in the same thread.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

from crm.people.company import company_of_environment, remember_company
from tests.factories.people import make_company

# How long an example takes is the bench's business: a busy machine is no fault of the code.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def quick_settings(settings, tmp_path):
    """Cheap passwords and a file store of the test's own."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MEDIA_ROOT = tmp_path / "files"
    settings.AXES_ENABLED = False
    settings.JOBS_RING = False


@pytest.fixture(autouse=True)
def known_company():
    """Every test begins with the company of the environment, remembered: no page reads it at a moment of its own."""
    remember_company(company_of_environment(), seconds=1e9)


@pytest.fixture
def company(db):
    """Users by login, as in the demo: rep, teammate, head, outsider, marketing, admin."""
    return make_company()


@pytest.fixture
def rep(company):
    """A seller of the northern department."""
    return company["rep"]


@pytest.fixture
def teammate(company):
    """A seller of the rep's department."""
    return company["teammate"]


@pytest.fixture
def head(company):
    """The head of the rep's department."""
    return company["head"]


@pytest.fixture
def outsider(company):
    """A seller of another department."""
    return company["outsider"]


@pytest.fixture
def marketing(company):
    return company["marketing"]


@pytest.fixture
def admin_user(company):
    """Every role right, and the administration."""
    return company["admin"]


@pytest.fixture
def signed_in(client):
    """signed_in(user) -> the test client with that user's session."""

    def sign_in(user):
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return sign_in


@pytest.fixture
def run_jobs():
    """run_jobs(now=None) -> how many due jobs the real worker code has done, in this process."""

    def run(now=None):
        from django.utils import timezone

        from crm.jobs import worker

        return worker.drain(now=now or timezone.now(), seconds=60)

    return run


@pytest.fixture(scope="session")
def chromium():
    """The system's Chromium, one for the whole run; tests that need it are skipped by name where there is none."""
    import shutil

    from tests.factories.browser import CHROMIUM

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not path:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield browser
        browser.close()


def pytest_collection_modifyitems(items):
    """A browser on a busy machine may miss a moment: its tests get a second and a third chance, all others none."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=2))
