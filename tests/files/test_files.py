"""Stored files: names, checks, and who may download."""

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from crm.files.services import safe_name, store_file


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("offer.pdf", "offer.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\docs\\umowa łódź.docx", "umowa łódź.docx"),
        ("a\x00b\n.pdf", "ab.pdf"),
        ("...", "file"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
    ],
)
def test_only_the_last_part_of_a_name_is_kept(given, kept):
    assert safe_name(given) == kept


def test_the_stored_name_has_nothing_of_the_typed_one(rep):
    stored = store_file(upload=SimpleUploadedFile("../x.pdf", b"%PDF-1.4"), by=rep)
    assert "x.pdf" not in stored.content.name
    assert (stored.size, stored.name) == (8, "x.pdf")


@pytest.mark.parametrize(("name", "content"), [("a.pdf", b""), ("a.exe", b"MZ"), ("a.JS", b"x")])
def test_empty_files_and_programs_are_refused(rep, name, content):
    with pytest.raises(ValidationError):
        store_file(upload=SimpleUploadedFile(name, content), by=rep)


def test_a_file_on_no_card_is_its_uploaders_alone(signed_in, rep, teammate):
    stored = store_file(upload=SimpleUploadedFile("<b>.html", b"<script>1</script>", "text/html"), by=rep)
    url = reverse("files:file_download", args=[stored.pk])
    answer = signed_in(rep).get(url)
    assert b"".join(answer.streaming_content) == b"<script>1</script>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert signed_in(teammate).get(url).status_code == 404
