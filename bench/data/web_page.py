"""Recognise a web page that a server sends instead of an archive: follow its download button or say what it is."""

import html
import re
from urllib.parse import urljoin

import requests

from bench.errors import UserError

_HEAD_BYTES = 2**16
"""Bytes of the page to look at."""
_MEANINGS = {
    r"quota|too many users|download limit": "its download quota is used up; try again in a day, or use another source",
    r"sign in|log in|login|captcha": "it requires a login; download it by hand in a browser",
}
"""Pattern in the text of a page -> what the page means."""


def download_link(response: requests.Response) -> str:
    """Return the link behind a page's download button (Google Drive shows one before large files).

    Raises:
        UserError: the page has none; the message says what the page seems to be.
    """
    page = next(response.iter_content(_HEAD_BYTES), b"").decode("utf-8", "replace")
    form = re.search(r'<form[^>]*id="download-form"[^>]*>(.*?)</form>', page, re.DOTALL | re.IGNORECASE)
    if form:
        action = re.search(r'action="([^"]*)"', form[0])
        fields = {
            n[1]: html.unescape(v[1])
            for tag in re.findall(r"<input[^>]*>", form[1])
            if (n := re.search(r'name="([^"]*)"', tag)) and (v := re.search(r'value="([^"]*)"', tag))
        }
        target = urljoin(response.url, html.unescape(action[1]) if action else "")
        link = requests.Request("GET", target, params=fields).prepare().url or ""
        if link != response.url:
            return link
    for pattern, meaning in _MEANINGS.items():
        if re.search(pattern, page, re.IGNORECASE):
            raise UserError(f"answered with a web page instead of the archive: {meaning}")
    title = re.search(r"<title[^>]*>(.*?)</title>", page, re.DOTALL | re.IGNORECASE)
    shown = f" ({' '.join(html.unescape(title[1]).split())[:80]})" if title else ""
    raise UserError(f"answered with a web page instead of the archive{shown}")
