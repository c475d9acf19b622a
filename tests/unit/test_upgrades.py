"""An upgrade is not taken, so it is ignored: its request is read like any other."""

import asyncio
import logging

import pytest

from app.host.server.protocol import Protocol
from tests.unit.serving import Echo, address_of, answers_to, in_pieces_of, read_answer, serving

H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQA\r\n"
WEBSOCKET = (
    b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
UNKNOWN = b"connection: upgrade\r\nupgrade: \r\nX-Empty:\r\nUPGRADE: a/1, b\r\n"
OFFERS = {"h2c": H2C, "websocket": WEBSOCKET, "unknown": UNKNOWN}
BODY = b"PATCH /smuggled HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
FRAMED = {
    "content-length": b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY),
    "chunked": b"Transfer-Encoding: chunked\r\n\r\n5\r\n%b\r\n%x;a=b\r\n%b\r\n0\r\nT: t\r\n\r\n"
    % (BODY[:5], len(BODY) - 5, BODY[5:]),
}
AFTER = b"GET /after HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
IN_ORDER = [("POST", "/upgraded", BODY), ("GET", "/after", b"")]


def request(offer: bytes, framed: bytes = b"\r\n", version: bytes = b"1.1") -> bytes:
    """A request that offers an upgrade."""
    return b"POST /upgraded?a=b HTTP/%b\r\nHost: x\r\n%b%b" % (version, offer, framed)


@pytest.mark.parametrize("size", [10_000, 1, 7])
@pytest.mark.parametrize("framed", FRAMED)
@pytest.mark.parametrize("offer", OFFERS)
async def test_the_body_after_an_offered_upgrade_is_read_and_not_run(offer, framed, size, caplog):
    """Whatever its framing and its packets; the request after it is read, and nothing is logged."""
    echo = Echo()
    async with serving(echo, in_pieces_of(size)) as server:
        sent = request(OFFERS[offer], FRAMED[framed]) + AFTER
        answers = await answers_to(address_of(server), sent)
    assert echo.seen == IN_ORDER
    assert [each.status for each in answers] == [200, 200]
    assert not [each for each in caplog.records if each.levelno >= logging.INFO]


@pytest.mark.parametrize("framed", FRAMED)
async def test_a_body_that_comes_after_the_application_began_to_wait_is_no_request(framed):
    """In a second packet it was once taken for the next request, and carried out."""
    echo = Echo()
    async with serving(echo) as server:
        reader, writer = await asyncio.open_connection(*address_of(server))
        head, _, body = request(H2C, FRAMED[framed]).partition(b"\r\n\r\n")
        writer.write(head + b"\r\n\r\n")
        async with asyncio.timeout(5):
            await echo.reading.wait()
            assert not echo.seen
            writer.write(body)
            answers = [await read_answer(reader)]
            writer.write(AFTER)
            answers.append(await read_answer(reader))
        writer.close()
    assert echo.seen == IN_ORDER
    assert [each.closes for each in answers] == [False, True]


async def test_other_words_of_connection_count_beside_an_upgrade():
    """The request says that it is the last of its connection."""
    async with serving(echo := Echo()) as server:
        sent = request(b"Connection: close, upgrade\r\nUpgrade: x\r\n", FRAMED["chunked"]) + AFTER
        [answer] = await answers_to(address_of(server), sent)
    assert answer.closes
    assert echo.seen == IN_ORDER[:1]
    assert b"upgrade" not in echo.headers


async def test_an_upgrade_in_http_1_0_is_ignored_as_well():
    """Its body is read, and the connection closed after it (RFC 9110, 7.8)."""
    async with serving(echo := Echo()) as server:
        sent = request(H2C, FRAMED["content-length"], b"1.0") + AFTER
        [answer] = await answers_to(address_of(server), sent)
    assert answer.closes
    assert echo.seen == IN_ORDER[:1]


async def test_many_upgrades_in_one_packet_are_requests_in_order():
    """Each is read by itself."""
    async with serving(echo := Echo()) as server:
        upgrade = request(H2C, b"Content-Length: 1\r\n\r\nx")
        answers = await answers_to(address_of(server), upgrade * 50 + AFTER)
    assert echo.seen == [*[("POST", "/upgraded", b"x")] * 50, IN_ORDER[1]]
    assert len(answers) == 51


@pytest.mark.parametrize("coding", [b"chunked", b"identity"])
async def test_a_body_that_breaks_after_an_offered_upgrade_is_refused(coding, caplog):
    """As after any other head."""
    async with serving(echo := Echo()) as server:
        sent = request(H2C, b"Transfer-Encoding: %b\r\n\r\nzz\r\n" % coding)
        [answer] = await answers_to(address_of(server), sent)
    assert answer.problem["code"] == "malformed-request"
    assert not echo.seen
    assert not [each for each in caplog.records if each.levelno >= logging.INFO]


@pytest.mark.parametrize("target", [b"/users", b"x:80", b"http://x/"])
@pytest.mark.parametrize("size", [10_000, 1])
async def test_connect_is_refused_with_what_follows_it(target, size):
    """There is no telling where its request ends."""
    async with serving(echo := Echo(), in_pieces_of(size)) as server:
        sent = b"CONNECT %b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" % target
        [answer] = await answers_to(address_of(server), sent + AFTER)
    assert answer.problem["code"] == "malformed-request"
    assert not echo.seen


async def test_a_limit_on_heads_holds_for_those_with_an_upgrade():
    """They are not kept without end either."""
    async with serving(echo := Echo()) as server:
        sent = request(H2C) + b"x" * (Protocol.LIMIT + 1)
        answers = await answers_to(address_of(server), sent)
    assert answers[0].status == 200
    assert echo.seen == [("POST", "/upgraded", b"")]
