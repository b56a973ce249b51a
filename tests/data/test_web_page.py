"""Web pages sent instead of archives: a download button is followed, anything else is explained."""

from types import SimpleNamespace
from typing import Any

import pytest

from bench.data.web_page import download_link
from bench.errors import UserError

URL = "https://example.org/download?id=1"
FORM = '<form id="download-form" action="{action}">{fields}</form>'


def response(page: str) -> Any:
    """Return what ``requests`` returns, as far as it is used."""
    return SimpleNamespace(url=URL, iter_content=lambda size: iter([page.encode()[:size]] if page else []))


@pytest.mark.parametrize("action", ["/get", "https://example.org/get"])
def test_the_link_of_the_download_button_has_the_fields_of_its_form(action: str) -> None:
    fields = '<input type="hidden" name="id" value="1"><input value="a&amp;b" name="key"><input type="submit">'
    link = download_link(response(f"<html>{FORM.format(action=action, fields=fields)}</html>"))
    assert link == "https://example.org/get?id=1&key=a%26b"


def test_a_button_that_leads_back_to_the_same_page_is_not_followed() -> None:
    with pytest.raises(UserError, match="web page instead of the archive"):
        download_link(response(FORM.format(action=URL, fields="")))


@pytest.mark.parametrize(
    ("page", "meaning"),
    [
        ("<p>Too many users have viewed or downloaded this file</p>", "quota is used up; try again in a day"),
        ("<p>Please sign in</p>", "it requires a login"),
        ("<title>Not\n found &amp; gone</title>", r"archive \(Not found & gone\)$"),
        ("<p>nothing known</p>", "web page instead of the archive$"),
        ("", "web page instead of the archive$"),
    ],
)
def test_other_pages_are_explained(page: str, meaning: str) -> None:
    with pytest.raises(UserError, match=meaning):
        download_link(response(page))
