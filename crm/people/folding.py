"""Folded text: what a person types without accents or capitals finds what was written with them.

SQLite neither folds "Ł" nor sorts Polish, and PostgreSQL's order depends on how the server was set up,
so both databases store the forms made here and compare them as plain text.
"""

import unicodedata
from functools import lru_cache

# Letters that Unicode does not take apart into a base letter and an accent.
_LETTERS = str.maketrans(
    {
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ø": "o",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ħ": "h",
        "ı": "i",
        "ŧ": "t",
        "ŋ": "n",
        "ĸ": "k",
    }
)

_POLISH = {
    "ą": "a2",
    "ć": "c2",
    "ę": "e2",
    "ł": "l2",
    "ń": "n2",
    "ó": "o2",
    "ś": "s2",
    "ź": "z2",
    "ż": "z3",
}

_SORTED_CHARACTERS = 100


class _Visible(dict):
    """A translation table that drops accents and invisible characters, filled as characters are met."""

    def __missing__(self, code: int) -> int | None:
        char = chr(code)
        hidden = not char.isspace() and unicodedata.category(char) in {"Mn", "Mc", "Me", "Cc", "Cf", "Cs"}
        self[code] = None if hidden else code
        return self[code]


_visible = _Visible()


def fold(text: object) -> str:
    """Lower case, no accents, no invisible characters, single spaces: for searching and comparing."""
    if text is None:
        return ""
    plain = str(text)
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain).casefold().translate(_LETTERS)
        plain = unicodedata.normalize("NFKD", plain)
    return " ".join(plain.translate(_visible).lower().split())


def sort_key(text: object) -> str:
    """A key of ASCII letters and digits that puts Polish names in Polish order on any database.

    Every letter becomes two characters (a, ą, b: "a1", "a2", "b1"), so that "ą" comes after "az" and before
    "b". At most 200 characters long, unless the text is in another script.
    """
    if text is None:
        return ""
    composed = unicodedata.normalize("NFC", str(text)).lower()
    words = " ".join(composed.split())[:_SORTED_CHARACTERS]
    return "".join(_weigh(char) for char in words)[:200]


@lru_cache(maxsize=4096)
def _weigh(char: str) -> str:
    if char in _POLISH:
        return _POLISH[char]
    if char == " ":
        return "00"
    folded = fold(char)
    weights = []
    for plain in folded:
        if "a" <= plain <= "z":
            weights.append(f"{plain}1")
        elif "0" <= plain <= "9":
            weights.append(f"1{plain}")
        elif plain.isalpha():
            weights.append(f"zz{ord(plain):05x}")
        else:
            weights.append("01")
    return "".join(weights)
