"""Templates lose the indentation of those who write them, and nothing that a reader sees."""

import pytest
from django.template import Context, Engine


@pytest.fixture
def engine(tmp_path):
    for name, text in {
        "plain.html": "<ul>\n    <li>a  b</li>\n\t<li>c</li>\n</ul>",
        "poem.html": "<pre>\n    one\n      two\n</pre>",
        "letter.txt": "Dear\n    reader",
        "long.html": "{% load i18n %}<p>\n  {% blocktranslate %}one\n  two{% endblocktranslate %}</p>",
    }.items():
        (tmp_path / name).write_text(text)
    return Engine(
        dirs=[tmp_path],
        loaders=["crm.web.loading.Loader"],
        libraries={"i18n": "crm.web.templatetags.i18n"},
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain.html", "<ul>\n<li>a  b</li>\n<li>c</li>\n</ul>"),
        ("poem.html", "<pre>\n    one\n      two\n</pre>"),
        ("letter.txt", "Dear\n    reader"),
        ("long.html", "<p>\n  one\n  two</p>"),
    ],
)
def test_only_the_margins_go(engine, name, shown):
    assert engine.get_template(name).render(Context()) == shown
