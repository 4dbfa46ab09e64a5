"""What makes two names the same for the search of duplicates."""

import re

from crm.people.folding import fold

_MARKS = re.compile(r"[^\w\s]+")
_LEGAL_FORMS = re.compile(
    r"\b(?:spolka z ograniczona odpowiedzialnoscia|spolka akcyjna|spolka komandytowa|spolka jawna|spolka cywilna"
    r"|sp z ?o ?o|sp k|sp j|s ?a|s ?c|p ?h ?u|p ?p ?h ?u|f ?h ?u|gmbh|ag|ltd|llc|inc|s ?r ?o|s ?r ?l)\b"
)
LONGEST = 200


def name_key(name: object) -> str:
    """The name folded, without punctuation and legal forms: "ŁÓDŹ Sp. z o.o." and "Lodz" are one."""
    words = " ".join(_MARKS.sub(" ", fold(name)).split())
    bare = " ".join(_LEGAL_FORMS.sub(" ", words).split())
    return (bare or words)[:LONGEST]


def person_key(first_name: object, last_name: object) -> str:
    """The same for a person, whichever name was written first."""
    return " ".join(sorted(_MARKS.sub(" ", fold(f"{first_name} {last_name}")).split()))[:LONGEST]
