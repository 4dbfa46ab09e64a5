"""Names that an administrator types, in both languages of the interface."""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Named(models.Model):
    """Something an administrator names; the Polish name is shown to readers of Polish where there is one."""

    name = models.CharField(_("name"), max_length=120)
    name_pl = models.CharField(_("name in Polish"), max_length=120, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return localised(self.name, self.name_pl)


def localised(name: str, name_pl: str) -> str:
    """`name_pl` for a reader of Polish when it is not empty, else `name`."""
    return name_pl if name_pl and (get_language() or "").startswith("pl") else name
