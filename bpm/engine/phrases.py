"""Sentences for people, kept as text and parameters so that a page can say them in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self


def gettext_noop(text: str) -> str:
    """Marks a text for the catalogues; the translating is done by whoever shows it."""
    return text


@dataclass(frozen=True, slots=True)
class Phrase:
    """English text with %(name)s places; a parameter may be a phrase itself."""

    text: str
    params: Mapping[str, str | Phrase] = field(default_factory=dict)

    def said(self, translate: Callable[[str], str] = str) -> str:
        if not self.params:
            return translate(self.text)
        filled = {
            key: value.said(translate) if isinstance(value, Phrase) else value
            for key, value in self.params.items()
        }
        return translate(self.text) % filled

    def to_json(self) -> dict[str, Any]:
        params = {
            key: value.to_json() if isinstance(value, Phrase) else value for key, value in self.params.items()
        }
        return {"text": self.text, "params": params} if params else {"text": self.text}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        params = {
            key: cls.from_json(value) if isinstance(value, Mapping) else str(value)
            for key, value in data.get("params", {}).items()
        }
        return cls(data["text"], params)


class PhrasedError(ValueError):
    """An error whose reason can be shown to a person in any language."""

    def __init__(self, text: str, **params: str | Phrase) -> None:
        self.phrase = Phrase(text, params)
        super().__init__(self.phrase.said())
