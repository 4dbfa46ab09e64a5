"""How far a deal is, as lists show it."""

from functools import lru_cache

from django import template
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.web import icons
from crm.web.templatetags.web import pill

register = template.Library()


@register.simple_tag
def stage_pill(stage, status):
    """The stage of an open deal in its colour, the outcome of a closed one with the stage on hover."""
    return _stage_pill(str(stage), stage.colour, str(status), get_language())


@lru_cache(maxsize=512)
def _stage_pill(name: str, colour: str, status: str, language: str):
    if status == "won":
        return pill("green", _("won"), icon="trophy-fill", title=name)
    if status == "lost":
        return pill("red", _("lost"), icon="x-lg", title=name)
    pause = icons.icon("pause-fill", _("postponed"), "text-warning") if status == "postponed" else ""
    return format_html('<span class="pill stage-pill stage-{}">{}</span>{}', colour, name, pause)
