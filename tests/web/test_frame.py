"""The frame itself: strict CSP, settings of one's own, sign-in, errors that say what to do."""

import re
from pathlib import Path

import pytest
from django import forms
from django.conf import settings as project
from django.template.loader import render_to_string
from django.test import Client
from django.utils.translation import activate, get_language

from crm.web.widgets import LongSelect

TEMPLATES = sorted((Path(project.BASE_DIR) / "templates").rglob("*.html"))
INLINE = re.compile(
    r"<style|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:|hx-on|<script(?![^>]*\ssrc=)", re.IGNORECASE
)


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: str(file.relative_to(project.BASE_DIR)))
def test_no_template_has_inline_script_or_style(file):
    assert INLINE.findall(file.read_text()) == []


def test_the_csp_allows_only_our_own(signed_in, rep):
    policy = signed_in(rep).get("/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert [word for word in ("unsafe-inline", "unsafe-eval", "http:") if word in policy] == []


@pytest.mark.parametrize(
    "address", ["/", "/profile/", "/search/?q=a", "/accounts/password/change/", "/accounts/2fa/"]
)
def test_every_page_has_title_skip_link_and_main(signed_in, rep, address):
    page = signed_in(rep).get(address).content.decode()
    assert re.search(r"<title>\s*\S", page)
    assert page.count('<main id="main"') == 1
    assert '<a class="skip-link" href="#main">' in page
    assert re.findall(r"<(?:script(?![^>]*\ssrc=)|style)[ >]", page) == []


def test_sign_in_by_login_or_by_e_mail(company, client):
    rep = company["rep"]
    for name in (rep.username, rep.email):
        fresh = Client()
        answer = fresh.post("/accounts/login/", {"login": name, "password": "demo"})
        assert (answer.status_code, answer["Location"]) == (302, "/")
        assert fresh.get("/").status_code == 200
    wrong = client.post("/accounts/login/", {"login": rep.username, "password": "wrong"})
    assert wrong.status_code == 200
    assert 'role="alert"' in wrong.content.decode()


def test_nobody_signs_up(client, db):
    assert (
        client.post("/accounts/signup/", {"username": "x", "password1": "y", "password2": "y"}).status_code
        == 200
    )
    assert client.get("/").status_code == 302


def test_too_many_attempts_meet_the_lock_page(company, settings, client):
    settings.AXES_ENABLED = True
    settings.AXES_FAILURE_LIMIT = 2
    for _ in range(2):
        answer = client.post("/accounts/login/", {"login": "rep", "password": "wrong"})
    assert answer.status_code == 429
    assert "Too many attempts" in answer.content.decode()


def test_password_reset_page_sends_a_letter(company, client, mailoutbox):
    answer = client.post("/accounts/password/reset/", {"email": company["rep"].email})
    assert answer.status_code == 302
    assert [letter.to for letter in mailoutbox] == [[company["rep"].email]]


def test_preference_is_kept_on_the_user_and_in_a_cookie(signed_in, rep):
    answer = signed_in(rep).post("/preference/", {"theme": "dark", "next": "/profile/"})
    rep.refresh_from_db()
    assert (answer["Location"], rep.theme, answer.cookies["theme"].value) == ("/profile/", "dark", "dark")


def test_preference_without_signing_in_changes_the_language_of_the_page(client, db):
    client.post("/preference/", {"language": "pl"})
    assert '<html lang="pl"' in client.get("/accounts/login/").content.decode()


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_preference_never_leaves_the_house(signed_in, rep, back):
    assert signed_in(rep).post("/preference/", {"theme": "dark", "next": back})["Location"] == "/"


def test_preference_refuses_nonsense(signed_in, rep):
    client = signed_in(rep)
    assert client.post("/preference/", {"theme": "pink"}).status_code == 400
    assert client.get("/preference/").status_code == 405


def test_profile_is_saved_and_wrong_values_come_back_as_422(signed_in, rep):
    client = signed_in(rep)
    values = {
        "first_name": "Ewa",
        "last_name": "Żak",
        "email": "ewa@example.com",
        "language": "pl",
        "time_zone": "Europe/Warsaw",
        "theme": "auto",
    }
    assert client.post("/profile/", values).status_code == 302
    rep.refresh_from_db()
    assert (rep.get_full_name(), rep.language) == ("Ewa Żak", "pl")
    bad = client.post("/profile/", {**values, "email": "nonsense"}, headers={"HX-Request": "true"})
    assert bad.status_code == 422
    assert bad.content.decode().lstrip().startswith("<form")
    assert 'id="id_email_error"' in bad.content.decode()


def test_profile_cannot_change_rights(signed_in, rep):
    values = {"first_name": "E", "last_name": "Ż", "language": "en", "time_zone": "UTC", "theme": "auto"}
    signed_in(rep).post("/profile/", {**values, "is_staff": "on", "is_superuser": "on", "username": "root"})
    rep.refresh_from_db()
    assert (rep.is_staff, rep.is_superuser, rep.username) == (False, False, "rep")


def test_errors_say_what_to_do(signed_in, rep, client):
    assert "There is nothing here for you" in signed_in(rep).get("/no-such-page/").content.decode()
    activate("en")
    assert get_language() == "en"
    page = Client().get("/no-such-page/")
    assert page.status_code in {302, 404}


def test_style_page_is_for_builders_only(signed_in, rep, settings):
    assert signed_in(rep).get("/style/").status_code == 404
    settings.DEBUG = True
    assert signed_in(rep).get("/style/").status_code == 200


def test_the_sidebar_stays_folded(signed_in, rep):
    client = signed_in(rep)
    client.cookies["sidebar"] = "closed"
    assert 'class="app sidebar-closed"' in client.get("/").content.decode()


def test_the_page_for_a_broken_server_needs_nothing_of_it():
    page = render_to_string("500.html")
    assert "Something broke on our side" in page
    assert "{%" not in page


def test_a_forbidden_action_says_whom_to_ask(rf, rep):
    request = rf.get("/")
    request.user = rep
    page = render_to_string("403.html", request=request)
    assert "This is not yours to do" in page
    assert "your head" in page


def test_a_long_select_marks_the_chosen_option_and_escapes():
    form_field = forms.ChoiceField(choices=[("a&", "<A>"), ("b", "B")], widget=LongSelect)
    html = form_field.widget.render("zone", "a&", {"id": "id_zone"})
    assert html == (
        '<select id="id_zone" name="zone"><option value="a&amp;" selected>&lt;A&gt;</option>'
        '<option value="b">B</option></select>'
    )


def test_too_big_a_form_is_a_413_that_says_so(signed_in, rep, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = signed_in(rep).post("/profile/", {"first_name": "x" * 2000})
    assert (answer.status_code, "That was too much at once" in answer.content.decode()) == (413, True)


def test_my_sign_ins_are_listed(company):
    client = Client()
    client.post("/accounts/login/", {"login": "rep", "password": "demo"})
    assert client.get("/accounts/sessions/").status_code == 200
