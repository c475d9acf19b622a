"""The keys of an issuer: fetched once for all, cached, and not trusted further than needed."""

import asyncio
import gzip

import httpx
import pytest

from app.adapters.identity import Issuer, http_client, is_safe
from app.adapters.identity.issuers import (
    FRESH_SECONDS,
    KEPT_SECONDS,
    LIMIT_BYTES,
    RETRY_SECONDS,
    UNKNOWN_SECONDS,
)
from app.framework.security import IdentityUnavailable, InvalidToken
from tests.unit.identity.issuing import URL, Clock, TestIssuer

DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
def issuer() -> TestIssuer:
    """An issuer of one key."""
    return TestIssuer()


@pytest.fixture
def clock() -> Clock:
    """The clock of the cache."""
    return Clock(1000.0)


@pytest.fixture
def keys(issuer: TestIssuer, clock: Clock) -> Issuer:
    """The cache of its keys."""
    return Issuer(URL, issuer.client, clock=clock)


def away(_path: str) -> httpx.Response:
    """An issuer that cannot be reached."""
    raise httpx.ConnectError("no route")


async def settled() -> None:
    """Let what was begun in the background come to its end."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_keys_are_fetched_once_for_all(keys, issuer):
    """However many tokens come at once."""
    await asyncio.gather(*(keys.key("one") for _ in range(100)))
    await keys.key("one")
    assert issuer.asked == [DISCOVERY, "/keys"]
    assert keys.trouble is None


async def test_an_only_key_needs_no_id(keys):
    """Of several it is not known which."""
    assert await keys.key(None) is await keys.key("one")
    other = TestIssuer()
    other.keys["two"] = other.keys["one"]
    with pytest.raises(InvalidToken):
        await Issuer(URL, other.client).key(None)


async def test_new_keys_are_fetched_when_tokens_name_them(keys, issuer):
    """However soon one follows the other: rotation refuses no valid token."""
    for each in ("one", "two", "three"):
        issuer.keys[each] = TestIssuer().keys["one"]
        await keys.key(each)


async def test_a_flood_of_made_up_keys_is_one_fetch(keys, issuer, clock):
    """In half a minute."""
    await keys.key("one")
    for fetches in (2, 3):
        for each in range(100):
            with pytest.raises(InvalidToken):
                await keys.key(f"made up {each}")
        assert issuer.asked == [DISCOVERY, "/keys"] * fetches
        clock.at += UNKNOWN_SECONDS


async def test_while_the_issuer_is_away_a_key_may_be_new(keys, issuer, clock):
    """Its tokens are not refused for good, but until it can be reached."""
    await keys.key("one")
    issuer.keys["two"] = TestIssuer().keys["one"]
    issuer.answer = away
    for _ in range(3):
        with pytest.raises(IdentityUnavailable):
            await keys.key("two")
    assert issuer.asked == [DISCOVERY, "/keys", DISCOVERY]
    assert await keys.key("one")
    issuer.answer = lambda _: None
    clock.at += RETRY_SECONDS
    await keys.key("two")


async def test_keys_are_refreshed_behind_the_requests(keys, issuer, clock):
    """A withdrawn key is not accepted for longer than that."""
    await keys.key("one")
    issuer.keys = {"two": TestIssuer().keys["one"]}
    clock.at += FRESH_SECONDS
    await keys.key("one")
    await settled()
    with pytest.raises(InvalidToken):
        await keys.key("one")


async def test_keys_are_used_for_a_day_while_the_issuer_is_away(keys, issuer, clock):
    """Then they are forgotten."""
    await keys.key("one")
    issuer.answer = away
    clock.at += KEPT_SECONDS - 1
    await keys.key("one")
    await settled()
    clock.at += 1
    with pytest.raises(IdentityUnavailable):
        await keys.key("one")


async def test_without_any_keys_it_is_said_so(keys, issuer, clock):
    """Not that the token is wrong; the issuer is tried again every few seconds."""
    issuer.answer = away
    for _ in range(3):
        with pytest.raises(IdentityUnavailable):
            await keys.key("one")
    assert issuer.asked == [DISCOVERY]
    assert keys.trouble == "no route"
    issuer.answer = lambda _: None
    clock.at += RETRY_SECONDS
    await keys.key("one")
    assert keys.trouble is None


@pytest.mark.parametrize(
    ("path", "answer", "trouble"),
    [
        (DISCOVERY, httpx.Response(404), f"{DISCOVERY} answers 404"),
        (DISCOVERY, httpx.Response(302, headers={"Location": "/x"}), f"{DISCOVERY} answers 302"),
        (DISCOVERY, httpx.Response(200, text="<html>"), f"{DISCOVERY} is no JSON"),
        (DISCOVERY, httpx.Response(200, text="[]"), f"{DISCOVERY} is no JSON object"),
        (
            DISCOVERY,
            httpx.Response(200, json={"issuer": "https://evil.example", "jwks_uri": URL}),
            "its discovery document is of another issuer",
        ),
        (
            DISCOVERY,
            httpx.Response(200, json={"issuer": URL, "jwks_uri": "http://login.example.com/"}),
            "its discovery document names no jwks_uri with https",
        ),
        (
            "/keys",
            httpx.Response(200, content=b" " * (LIMIT_BYTES + 1)),
            f"/keys is longer than {LIMIT_BYTES} bytes",
        ),
        (
            DISCOVERY,
            httpx.Response(200, json={"issuer": URL, "jwks_uri": "https://["}),
            "Invalid IPv6 URL",
        ),
        (
            DISCOVERY,
            httpx.Response(200, json={"issuer": URL, "jwks_uri": "https://a\0"}),
            "Invalid non-printable ASCII character in URL, '\\x00' at position 9.",
        ),
        ("/keys", httpx.Response(200, text="[" * 60_000), "/keys is no JSON"),
        (
            "/keys",
            httpx.Response(200, json={"keys": [{"kty": "oct", "k": "AAAA", "kid": "one"}]}),
            "its JWK set has no key that can verify signatures",
        ),
    ],
)
async def test_what_cannot_be_used_is_no_key(keys, issuer, path, answer, trouble):
    """And it is said what is wrong."""
    issuer.answer = lambda asked: answer if asked == path else None
    with pytest.raises(IdentityUnavailable):
        await keys.key("one")
    assert keys.trouble == trouble


async def answered(
    said: bytes, monkeypatch: pytest.MonkeyPatch, *, proxy: str = "", slowly: bool = False
) -> tuple[str | None, bytes]:
    """The trouble with an issuer on this machine that says that to all, and what it was asked."""
    asked = b""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + said)
        while slowly and not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.01)
        writer.close()

    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with (
        await asyncio.start_server(answer, "127.0.0.1", 0) as server,
        http_client() as client,
    ):
        port = server.sockets[0].getsockname()[1]
        found = Issuer(f"http://127.0.0.1:{port}", client)
        await found.prefetch()
        trouble = found.trouble
        await found.close()
    return trouble, asked


async def test_what_is_compressed_is_not_unpacked(monkeypatch):
    """It may be a thousand times as long."""
    said = b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"[]")
    trouble, asked = await answered(said, monkeypatch)
    assert trouble == f"{DISCOVERY} is compressed"
    assert b"accept-encoding: identity" in asked.lower()


async def test_a_slow_answer_is_given_up(monkeypatch):
    """Also if there is always a little more of it."""
    monkeypatch.setattr("app.adapters.identity.issuers.TIMEOUT_SECONDS", 0.1)
    async with asyncio.timeout(5):
        trouble, _ = await answered(b"\r\n", monkeypatch, slowly=True)
    assert trouble == "TimeoutError"


async def test_no_proxy_is_asked_for_what_is_on_this_machine(monkeypatch):
    """It would look for it on its own."""
    trouble, _ = await answered(b"\r\n[]", monkeypatch, proxy="http://127.0.0.1:9")
    assert trouble == f"{DISCOVERY} is no JSON object"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://login.example.com", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost/realm", True),
        ("http://[::1]/", True),
        ("http://login.example.com", False),
        ("ftp://127.0.0.1", False),
        ("https://", False),
        ("file:///etc/passwd", False),
    ],
)
def test_keys_come_over_https(url, safe):
    """Or from this machine."""
    assert is_safe(url) is safe
