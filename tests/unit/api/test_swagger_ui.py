"""The page at /docs and all that it refers to."""

from hashlib import sha256
from html.parser import HTMLParser

import httpx
import pytest

from tests.unit.api.service import application

MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "png": "image/png",
}


class Page(HTMLParser):
    """What a browser would fetch for a page, and what of the page the policy forbids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.title = ""
        self.assets: list[str] = []
        self.inline: list[str] = []
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note the addresses, and attributes that are script or style."""
        self._within = tag
        attributes = dict(attrs)
        self.assets += [
            attributes[name] for name in ("src", "href") if name in attributes and tag != "a"
        ]
        self.inline += [name for name in attributes if name == "style" or name.startswith("on")]

    def handle_endtag(self, _):
        """Text that follows is in no element of interest."""
        self._within = ""

    def handle_data(self, data):
        """Note the title, and text that is script or style."""
        if self._within == "title":
            self.title = data
        if self._within in {"script", "style"}:
            self.inline.append(data)


@pytest.fixture
async def page(client) -> Page:
    """The page at /docs."""
    return Page((await client.get("/docs")).text)


def test_the_page_is_called_like_the_api(page):
    """That is what a browser shows in its tab."""
    assert page.title == "Diptych"


def test_all_that_runs_is_in_files(page):
    """Scripts and styles in the page itself would need a policy that lets any in."""
    assert page.inline == []


async def test_the_policy_lets_in_what_the_service_serves_and_nothing_else(client):
    """No other origin, no script or style that is not in a file, no frame around the page."""
    answer = await client.get("/docs")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert dict(each.split(" ", 1) for each in policy) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_assets_are_served_and_may_be_kept_for_ever(client, page):
    """The address of each has a digest of its content, which the page always names anew."""
    assert (await client.get("/docs")).headers["Cache-Control"] == "no-cache"
    assert len(page.assets) == 5
    for address in page.assets:
        answer = await client.get(f"/{address}")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == MEDIA_TYPES[address.rpartition(".")[2]]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert sha256(answer.content).hexdigest().startswith(address.split("/")[1])


async def test_nothing_else_is_served(client, page):
    """Neither what else is in the folders nor what the framework would serve of its own."""
    folder = page.assets[0].rpartition("/")[0]
    for path in (f"/{folder}/__init__.py", "/docs/page.css", "/docs/oauth2-redirect", "/redoc"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize("roles", [{"commands"}, {"queries"}, {"projector"}])
async def test_a_process_of_any_role_serves_it(service, roles):
    """The document, too."""
    service.roles = frozenset(roles)
    transport = httpx.ASGITransport(application(service))
    async with httpx.AsyncClient(transport=transport, base_url="http://diptych") as client:
        for path in ("/docs", "/openapi.json"):
            assert (await client.get(path)).status_code == 200
