"""Whatever somebody types into an address or a form, the answer is never a server error."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.conventions.test_access_walk import own_addresses

LONE_SURROGATE = "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")
HOSTILE = [
    *("\x00", "a\x00b", LONE_SURROGATE, "x" * 20_000, "-1", "9" * 40, "1e999", "owner__password"),
    *("-owner__password", "' OR 1=1 --", "%", "_", "\u202e", "[]", "{}", "2026-13-45", "\u0663"),
]
PARAMETERS = [
    *(
        "q",
        "tab",
        "sort",
        "after",
        "owner",
        "source",
        "stage",
        "type",
        "funnel",
        "kind",
        "person",
        "show",
        "page",
    ),
    *(
        "cursor",
        "group",
        "actor",
        "import",
        "status",
        "process",
        "panel",
        "ids",
        "deal",
        "lead",
        "counterparty",
    ),
    *("contact", "name", "phone", "email", "tax_number", "counterparty_type", "deal_type", "last", "exclude"),
]


def plain_addresses() -> list[str]:
    return [name for name, pattern in own_addresses() if not pattern.pattern.converters]


@pytest.mark.django_db
@pytest.mark.parametrize("turn", range(0, len(HOSTILE), 3))
def test_no_address_breaks_on_hostile_parameters(head, turn):
    """Every parameter meets every third of the hostile values, each turn others at once."""
    client = Client(raise_request_exception=False)
    client.force_login(head, backend="allauth.account.auth_backends.AuthenticationBackend")
    query = {name: HOSTILE[(place + turn) % len(HOSTILE)] for place, name in enumerate(PARAMETERS)}
    broken = []
    for name in plain_addresses():
        for answer in (client.get(reverse(name), query), client.post(reverse(name), query)):
            if answer.status_code >= 500:
                broken.append((name, answer.status_code))
    assert broken == []
