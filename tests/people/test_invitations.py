"""Inviting a colleague: a letter, a link that works once and for a while, an account with what was chosen."""

import re

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F
from django.utils import timezone

from crm.people import invitations
from crm.people.invitations import GOOD_FOR, MOST_AN_HOUR, PAUSE, Invitation, invite, resend
from crm.people.models import Role, User

pytestmark = pytest.mark.django_db
WHO = {
    "first_name": "Ewa",
    "last_name": "Nowa",
    "username": "ewa",
    "password": "dobre-haslo-7",
    "language": "pl",
}


@pytest.fixture
def admin(company):
    return company["admin"]


@pytest.fixture
def invitation(admin, rep):
    return invite(
        email="Ewa@Firma.example",
        department=rep.department,
        roles=Role.objects.filter(key="seller"),
        by=admin,
    )


def link_in(letter) -> str:
    return re.search(r"https?://[^/\s]+(/people/welcome/\S+)", letter.body)[1]


def test_from_the_letter_to_the_account(invitation, rep, client, run_jobs, mailoutbox):
    run_jobs()
    (letter,) = mailoutbox
    assert letter.to == ["ewa@firma.example"]
    url = link_in(letter)
    assert "ewa@firma.example" in client.get(url).content.decode()
    assert client.post(url, {**WHO, "password": "123"}).status_code == 422
    assert client.post(url, WHO).url == "/"
    user = User.objects.get(username="ewa")
    assert (user.email, user.department, user.language) == ("ewa@firma.example", rep.department, "pl")
    assert [role.key for role in user.roles.all()] == ["seller"]
    assert client.get("/").status_code == 200
    client.logout()
    assert client.get(url).status_code == 404
    assert client.post(url, {**WHO, "username": "other"}).status_code == 404
    invitation.refresh_from_db()
    assert invitation.user == user


def test_the_database_does_not_hold_the_link(invitation):
    stored = " ".join(str(value) for value in Invitation.objects.values().get().values())
    assert invitation.token.partition("-")[2] not in stored


@pytest.mark.parametrize("change", ["expired", "revoked", "resent", "forged"])
def test_a_link_that_works_no_more(invitation, admin, client, change):
    token = invitation.token
    if change == "expired":
        Invitation.objects.update(expires_at=timezone.now())
    elif change == "revoked":
        invitations.revoke(invitation=invitation, by=admin)
    elif change == "resent":
        Invitation.objects.update(sent_at=F("sent_at") - PAUSE)
        assert resend(invitation=invitation, by=admin).token != token
    else:
        token = f"{invitation.pk}-{'0' * 64}"
    assert client.get(f"/people/welcome/{token}/").status_code == 404
    assert client.post(f"/people/welcome/{token}/", WHO).status_code == 404
    assert not User.objects.filter(username="ewa").exists()


@pytest.mark.parametrize("token", ["x", "-", "9" * 40 + "-a", "1-", "٣-a", "1-ł"])
def test_hostile_tokens(client, db, token):
    assert client.get(f"/people/welcome/{token}/").status_code == 404


def test_limits(invitation, admin, rep):
    with pytest.raises(ValidationError):
        invite(email="ewa@firma.example", by=admin)
    with pytest.raises(ValidationError):
        invite(email=rep.email.upper(), by=admin)
    with pytest.raises(ValidationError):
        resend(invitation=invitation, by=admin)
    for number in range(MOST_AN_HOUR - 1):
        invite(email=f"p{number}@firma.example", by=admin)
    with pytest.raises(ValidationError):
        invite(email="last@firma.example", by=admin)
    for verb in (resend, invitations.revoke):
        with pytest.raises(PermissionDenied):
            verb(invitation=invitation, by=rep)


def test_pages_are_the_administrators(invitation, admin, rep, head, signed_in, run_jobs, mailoutbox):
    browser = signed_in(admin)
    assert "ewa@firma.example" in browser.get("/people/invitations/").text
    role = Role.objects.get(key="head").pk
    data = {"email": "jan@firma.example", "department": "", "language": "en", "roles": [role]}
    assert browser.post("/people/invitations/", data).status_code == 302
    assert browser.post("/people/invitations/", data).status_code == 422
    assert browser.post("/people/invitations/", {"email": "x"}).status_code == 422
    run_jobs()
    assert {letter.to[0] for letter in mailoutbox} == {"ewa@firma.example", "jan@firma.example"}
    assert browser.post(f"/people/invitations/{invitation.pk}/sending/").status_code == 302
    assert browser.post(f"/people/invitations/{invitation.pk}/revocation/").status_code == 302
    invitation.refresh_from_db()
    assert invitation.revoked_at is not None
    assert invitation.expires_at <= timezone.now() + GOOD_FOR
    for stranger in (signed_in(rep), signed_in(head)):
        assert stranger.get("/people/invitations/").status_code == 403
        assert stranger.post(f"/people/invitations/{invitation.pk}/revocation/").status_code == 404
