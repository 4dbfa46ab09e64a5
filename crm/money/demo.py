"""Demo currencies."""

from datetime import timedelta

from crm.money.models import Currency, Rate
from crm.money.services import create_standard_currencies
from crm.web.demo import Demo, demo_step


@demo_step(20)
def load(demo: Demo) -> None:
    create_standard_currencies()
    for code, millionths in (("EUR", 4_270_000), ("USD", 3_940_000)):
        Rate.objects.create(
            currency=Currency.objects.get(pk=code),
            date=demo.today - timedelta(days=30),
            millionths=millionths,
        )
