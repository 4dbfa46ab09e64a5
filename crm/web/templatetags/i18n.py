"""Django's own tags for translating; a text without variables is looked up once for each language.

The settings put this library in the place of Django's. A list page holds some four hundred such texts, and each look-up
went through a template variable, a lazy text, a catalogue and its fallbacks.
"""

from django import template
from django.templatetags import i18n
from django.templatetags.i18n import TranslateNode, do_translate
from django.utils.translation import get_language

register = template.Library()
register.tags.update(i18n.register.tags)
register.filters.update(i18n.register.filters)


class KnownText(TranslateNode):
    """`{% trans "Deals" %}`, with or without `as`."""

    def __init__(self, node: TranslateNode):
        vars(self).update(vars(node))
        self._texts: dict[str | None, str] = {}

    def render(self, context):
        language = get_language()
        text = self._texts.get(language)
        if text is None:
            shown = super().render(context)
            text = self._texts[language] = context[self.asvar] if self.asvar else shown
        if self.asvar:
            context[self.asvar] = text
            return ""
        return text


@register.tag("translate")
@register.tag("trans")
def translate(parser, token):
    """A text from a variable, one with filters, a context or `noop` stays with Django."""
    node = do_translate(parser, token)
    written = token.split_contents()[1]
    is_plain = written[0] in "\"'" and written[-1] == written[0] and not node.filter_expression.filters
    return KnownText(node) if is_plain and not node.noop and node.message_context is None else node
