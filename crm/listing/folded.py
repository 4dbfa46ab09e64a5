"""Comparing a column as people read it: without case and accents, on both databases alike."""

from __future__ import annotations

from django.db.backends.signals import connection_created
from django.db.models import CharField, Func
from django.dispatch import receiver

from crm.people.folding import fold

FUNCTION = "crm_fold"


def _letters() -> tuple[str, str]:
    """European letters of more than ASCII, and the ones they fold to."""
    pairs = [(char, fold(char)) for char in map(chr, range(0xA1, 0x250)) if char == char.lower()]
    single = [(char, plain) for char, plain in pairs if len(plain) == 1 and plain != char]
    return "".join(char for char, _ in single), "".join(plain for _, plain in single)


LETTERS, PLAIN = _letters()


class Folded(Func):
    """A text column folded in the database."""

    arity = 1
    output_field = CharField()

    def as_sqlite(self, compiler, connection, **extra):
        return super().as_sql(compiler, connection, function=FUNCTION, **extra)

    def as_postgresql(self, compiler, connection, **extra):
        sql, params = compiler.compile(self.source_expressions[0])
        return f"translate(lower({sql}), %s, %s)", (*params, LETTERS, PLAIN)


@receiver(connection_created, dispatch_uid="listing.fold_function")
def offer_function(sender, *, connection, **kwargs) -> None:
    """SQLite knows no folding: every new connection learns ours."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(FUNCTION, 1, fold, deterministic=True)
