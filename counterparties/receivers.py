"""What follows from changed counterparties inside their own area."""

from __future__ import annotations

from django.dispatch import receiver

from counterparties.categories import refresh_categories
from counterparties.signals import counterparties_written, counterparty_changed, counterparty_created


@receiver(counterparty_created, dispatch_uid="counterparties.categories_of_new")
@receiver(counterparty_changed, dispatch_uid="counterparties.categories_of_changed")
def give_categories(sender, counterparty, **kwargs) -> None:
    refresh_categories([counterparty])


@receiver(counterparties_written, dispatch_uid="counterparties.categories_of_written")
def give_many_categories(sender, counterparties, **kwargs) -> None:
    refresh_categories(counterparties)
