"""A constant text of a template is looked up once for each language; everything else is Django's."""

import pytest
from django.template import Context, Template
from django.utils.translation import override


def shown(source: str, **context) -> str:
    return Template("{% load i18n %}" + source).render(Context(context))


def test_a_text_follows_the_language_again_and_again():
    template = Template('{% load i18n %}{% trans "Deals" %}')
    shown_in = []
    for language in ("en", "pl", "en", "pl"):
        with override(language):
            shown_in.append(template.render(Context()))
    assert shown_in[:2] == shown_in[2:]
    assert shown_in[0] == "Deals" != shown_in[1]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('{% trans "Deals" as name %}[{{ name }}]', "[Deals]"),
        ('{% trans "100% sure" %}', "100% sure"),
        ('{% trans "a < b" %}', "a < b"),
        ("{% trans word %}", "&lt;b&gt;"),
        ('{% trans "deals"|upper %}', "DEALS"),
    ],
)
def test_the_tag_writes_what_djangos_writes(source, text):
    assert shown(source, word="<b>") == text
    plain = source.replace("trans ", "translate ")
    assert shown(plain, word="<b>") == text


def test_the_text_kept_in_a_variable_is_the_readers():
    template = Template('{% load i18n %}{% trans "Deals" as name %}{{ name }}')
    with override("pl"):
        polish = template.render(Context())
    with override("en"):
        assert template.render(Context()) == "Deals" != polish
