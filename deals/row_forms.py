"""What the forms of a deal's rows share."""

from __future__ import annotations

from django.core.exceptions import ValidationError


class Refusing:
    """A form that shows what the service said, beside the fields it named."""

    def refuse(self, error: ValidationError) -> None:
        if not hasattr(error, "error_dict"):
            self.add_error(None, error.messages)
            return
        for name, errors in error.error_dict.items():
            self.add_error(name if name in self.fields else None, errors)
