"""Money: integer hundredths in the database, `Decimal` in Python. SQLite would keep decimals as floats."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

LIMIT = Decimal(10) ** 12
CENT = Decimal("0.01")
NOT_NEGATIVE = [
    MinValueValidator(Decimal(0), _("The amount may not be negative.")),
    MaxValueValidator(LIMIT, _("The amount is too large.")),
]


def to_hundredths(value: Decimal) -> int:
    """Whole hundredths, halves away from zero. Raises ValidationError beyond ±10¹²."""
    if not value.is_finite() or abs(value) > LIMIT:
        raise ValidationError(_("The amount is too large."))
    return int((value * 100).quantize(Decimal(1), ROUND_HALF_UP))


def from_hundredths(value: int) -> Decimal:
    return Decimal(value).scaleb(-2).quantize(CENT)


class MoneyField(models.BigIntegerField):
    """An amount in some currency, which a neighbouring column names."""

    description = "money as integer hundredths"

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("validators", [MinValueValidator(-LIMIT), MaxValueValidator(LIMIT)])
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("validators", None)
        return name, path, args, kwargs

    @property
    def validators(self):
        """Without the integer range of the column: amounts are compared as decimals."""
        return self._validators

    def from_db_value(self, value, expression, connection):
        return None if value is None else from_hundredths(int(value))

    def to_python(self, value):
        if value is None:
            return None
        try:
            amount = (
                value if isinstance(value, Decimal) else Decimal(str(value)).quantize(CENT, ROUND_HALF_UP)
            )
        except InvalidOperation:
            raise ValidationError(_("Enter an amount."), code="invalid") from None
        if not amount.is_finite():
            raise ValidationError(_("Enter an amount."), code="invalid")
        return amount

    def get_prep_value(self, value):
        return None if value is None else to_hundredths(self.to_python(value))

    def formfield(self, **kwargs):
        options = {"max_digits": 15, "decimal_places": 2, "min_value": -LIMIT, "max_value": LIMIT}
        return models.Field.formfield(self, form_class=MoneyFormField, **{**options, **kwargs})

    def value_to_string(self, obj):
        value = self.value_from_object(obj)
        return "" if value is None else str(value)


class MoneyFormField(forms.DecimalField):
    """Accepts amounts as people type them: `12 500,50`, `12,500.50`, `1 000 zł` without the currency."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "class": "money-input"})

    def to_python(self, value):
        return super().to_python(typed_amount(value) if isinstance(value, str) else value)


def typed_amount(text: str) -> str:
    """The plain decimal spelling of an amount with spaces, apostrophes and either decimal sign."""
    plain = "".join(char for char in text if not char.isspace() and char not in "'’\u00a0\u202f")
    last = max(plain.rfind(","), plain.rfind("."))
    if last < 0:
        return plain
    whole, rest = plain[:last], plain[last + 1 :]
    sign = plain[last]
    # One kind of sign, three digits behind it and more than one such group: thousands, not decimals.
    if len(rest) == 3 and (whole.count(sign) or not rest.isdigit()) and not {",", "."} - {sign} & set(whole):
        return whole.replace(sign, "") + rest
    return whole.replace(",", "").replace(".", "") + "." + rest
