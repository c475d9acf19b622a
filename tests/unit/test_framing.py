"""Requests whose beginning and end cannot be told for sure are refused, and never carried out."""

import asyncio
import logging

import pytest
from starlette.types import Message

from tests.unit.api.service import MemoryService, application
from tests.unit.serving import Echo, address_of, answers_to, in_pieces_of, read_answer, serving

POST = b"POST /first HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
AFTER = b"GET /after HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

HEADS = {
    "both lengths": b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
    "both lengths, chunked first": b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
    "two lengths": b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "one length twice": b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": b"Content-Length: 3, 3\r\n\r\nabc",
    "a signed length": b"Content-Length: +3\r\n\r\nabc",
    "a hexadecimal length": b"Content-Length: 0x3\r\n\r\nabc",
    "a length with a blank": b"Content-Length: 1 0\r\n\r\nabc",
    "no length": b"Content-Length:\r\n\r\nabc",
    "a length over 64 bits": b"Content-Length: 99999999999999999999\r\n\r\nabc",
    "identity": b"Transfer-Encoding: identity\r\n\r\n",
    "xchunked": b"Transfer-Encoding: xchunked\r\n\r\n",
    "gzip": b"Transfer-Encoding: gzip\r\n\r\n",
    "gzip, chunked": b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "gzip and chunked": b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked, gzip": b"Transfer-Encoding: chunked, gzip\r\n\r\n",
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked with a parameter": b"Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
    "chunked in quotes": b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "chunked after a control": b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "no transfer coding": b"Transfer-Encoding:\r\n\r\n",
    "a folded value": b"X: a\r\n b\r\n\r\n",
    "a folded transfer coding": b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a line feed alone": b"X: a\nY: b\r\n\r\n",
    "a line feed alone at the end": b"X: a\r\n\n",
    "a carriage return alone": b"X: a\rY: b\r\n\r\n",
    "a blank before the colon": b"Content-Length : 3\r\n\r\nabc",
    "a tab before the colon": b"Content-Length\t: 3\r\n\r\nabc",
    "no colon": b"abc\r\n\r\n",
    "a NUL": b"X: a\x00b\r\n\r\n",
    "an escape": b"X: \x1b[2J\r\n\r\n",
    "a control in a name": b"Content\x00Length: 3\r\n\r\nabc",
}
LINES = {
    "HTTP/0.9": b"GET /first\r\n\r\n",
    "HTTP/0.9 in words": b"GET /first HTTP/0.9\r\nHost: x\r\n\r\n",
    "HTTP/1.2": b"GET /first HTTP/1.2\r\nHost: x\r\n\r\n",
    "HTTP/2": b"GET /first HTTP/2.0\r\nHost: x\r\n\r\n",
    "HTTP/2 with an upgrade": b"GET / HTTP/2.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a blank before the header": b"GET /first HTTP/1.1\r\n Host: x\r\n\r\n",
    "a line feed after the line": b"GET /first HTTP/1.1\nHost: x\r\n\r\n",
    "a blank in the target": b"GET /first HTTP/1.1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a fragment": b"GET /first#x HTTP/1.1\r\nHost: x\r\n\r\n",
    "a byte over 127": b"GET /first\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "another scheme": b"GET ftp://x/first HTTP/1.1\r\nHost: x\r\n\r\n",
    "a user in the target": b"GET http://u@x/first HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host in the target": b"GET http:///first HTTP/1.1\r\nHost: x\r\n\r\n",
    "an asterisk": b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
    "no path": b"GET first HTTP/1.1\r\nHost: x\r\n\r\n",
}
BODIES = {
    "no size": b"\r\na\r\n0\r\n\r\n",
    "a size that is no number": b"zz\r\n",
    "a prefixed size": b"0x1\r\na\r\n0\r\n\r\n",
    "a signed size": b"+1\r\na\r\n0\r\n\r\n",
    "a blank before the size": b" 1\r\na\r\n0\r\n\r\n",
    "a blank after the size": b"1 \r\na\r\n0\r\n\r\n",
    "a size over 64 bits": b"1" * 17 + b"\r\na\r\n",
    "a line feed after the size": b"1\na\r\n0\r\n\r\n",
    "a carriage return after the size": b"1\rXa\r\n0\r\n\r\n",
    "nothing after a chunk": b"1\r\na0\r\n\r\n",
    "a line feed after a chunk": b"1\r\na\n0\r\n\r\n",
    "a line feed in an extension": b"1;a\na\r\n0\r\n\r\n",
    "a carriage return in an extension": b"1;a\rb\r\na\r\n0\r\n\r\n",
    "a line in an extension": b'1;a="\r\n"\r\na\r\n0\r\n\r\n',
    "a length in the trailers": b"0\r\nContent-Length: 5\r\n\r\n",
    "a transfer coding in the trailers": b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a line feed at the end": b"0\r\n\n",
}
SENT = {
    **{name: POST + each for name, each in HEADS.items()},
    **LINES,
    **{name: CHUNKED + each for name, each in BODIES.items()},
}


@pytest.mark.parametrize("name", SENT)
async def test_what_is_framed_wrongly_is_refused_with_a_problem(name):
    """In one packet or in many; neither it nor what follows it is carried out."""
    for size in (10_000, 1):
        async with serving(echo := Echo(), in_pieces_of(size)) as server:
            [answer] = await answers_to(address_of(server), SENT[name] + AFTER)
        assert answer.problem["code"] == "malformed-request"
        assert answer.status == 400
        assert not echo.seen


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_that_breaks_off_later_is_refused_with_a_problem(name):
    """The application waits for it by then, and is told that no more comes."""
    async with serving(echo := Echo()) as server:
        reader, writer = await asyncio.open_connection(*address_of(server))
        writer.write(CHUNKED)
        async with asyncio.timeout(5):
            await echo.reading.wait()
            writer.write(BODIES[name] + AFTER)
            answer = await read_answer(reader)
            assert not await reader.read()
            await echo.disconnected.wait()
        writer.close()
    assert answer.problem["code"] == "malformed-request"
    assert not echo.seen


READ = {
    "a length with zeros": (POST + b"Content-Length: 03\r\n\r\nabc", b"abc"),
    "a length between blanks": (POST + b"Content-Length:\t 3 \t\r\n\r\nabc", b"abc"),
    "chunked in capitals": (POST + b"TRANSFER-ENCODING: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", b"a"),
    "an extension": (CHUNKED + b'1;a=b;c="d"\r\na\r\n0\r\n\r\n', b"a"),
    "zeros before the size": (CHUNKED + b"0" * 9 + b"1\r\na\r\n00\r\n\r\n", b"a"),
    "trailers": (CHUNKED + b"1\r\na\r\n0\r\nT: t\r\nUpgrade: x\r\n\r\n", b"a"),
    "an empty line before": (b"\r\n" + POST + b"Content-Length: 1\r\n\r\na", b"a"),
    "HTTP/1.0": (b"POST /first HTTP/1.0\r\nContent-Length: 1\r\n\r\na", b"a"),
    "a URL": (b"POST http://x/first HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na", b"a"),
}


@pytest.mark.parametrize("size", [10_000, 1])
@pytest.mark.parametrize("name", READ)
async def test_what_is_framed_well_is_read(name, size):
    """However unusual; the request after it as well, where the connection goes on."""
    sent, body = READ[name]
    async with serving(echo := Echo(), in_pieces_of(size)) as server:
        answers = await answers_to(address_of(server), sent + AFTER)
    expected = [("POST", "/first", body), ("GET", "/after", b"")][: len(answers)]
    assert echo.seen == expected
    assert len(answers) == (1 if name == "HTTP/1.0" else 2)


async def test_the_host_of_a_url_counts():
    """Whatever the header says (RFC 9112, 3.2.2); an empty path is the root."""
    async with serving(echo := Echo()) as server:
        sent = b"GET HTTP://a.example:80?b HTTP/1.1\r\nHost: c.example\r\nConnection: close\r\n\r\n"
        await answers_to(address_of(server), sent)
    assert echo.seen == [("GET", "/", b"")]
    assert echo.headers[b"host"] == b"a.example:80"


async def test_trailers_do_not_become_headers():
    """Who stands in front looked at the headers only."""
    sent = CHUNKED + b"1\r\na\r\n0\r\nIdempotency-Key: k\r\nHost: y\r\n\r\n" + AFTER
    async with serving(echo := Echo()) as server:
        reader, writer = await asyncio.open_connection(*address_of(server))
        writer.write(sent[: -len(AFTER)])
        async with asyncio.timeout(5):
            await read_answer(reader)
        writer.close()
    assert echo.headers == {b"host": b"x", b"transfer-encoding": b"chunked"}


async def test_requests_before_a_broken_one_are_answered_first():
    """In order, and the broken one as well."""
    async with serving(echo := Echo()) as server:
        sent = POST + b"Content-Length: 1\r\n\r\na" + CHUNKED + b"zz\r\n"
        first, second = await answers_to(address_of(server), sent)
    assert (first.status, first.closes) == (200, False)
    assert second.problem["code"] == "malformed-request"
    assert echo.seen == [("POST", "/first", b"a")]


async def test_a_broken_body_that_is_not_asked_for_changes_no_answer():
    """What was carried out is told; then the connection is closed."""
    async with serving(echo := Echo()) as server:
        reader, writer = await asyncio.open_connection(*address_of(server))
        writer.write(CHUNKED.replace(b"/first", b"/unread"))
        async with asyncio.timeout(5):
            assert (await read_answer(reader)).status == 200
            writer.write(b"zz\r\n" + AFTER)
            assert not await reader.read()
        writer.close()
    assert echo.seen == [("POST", "/unread", b"")]


@pytest.mark.parametrize("sent", [b"\x00" + b"x" * 2_000_000, CHUNKED + b"zz" + b"x" * 2_000_000])
async def test_a_refusal_arrives_however_much_is_sent_after_it(sent):
    """A socket that is closed with input left resets the connection, and takes the answer along."""
    async with serving(Echo()) as server:
        reader, writer = await asyncio.open_connection(*address_of(server))
        writer.write(sent)
        async with asyncio.timeout(5):
            await writer.drain()
            answer = await read_answer(reader)
            assert not await reader.read()
        writer.close()
    assert answer.problem["code"] == "malformed-request"


async def test_a_broken_body_changes_nothing_in_the_service(caplog):
    """The whole application answers with the problem, logs no error, and records nothing."""
    body = b'{"id": "alice", "name": "Alice", "email": "alice@example.com"}'
    head = CHUNKED.replace(b"/first", b"/users").replace(
        b"Host", b"Content-Type: application/json\r\nHost"
    )
    api, waiting = application(service := MemoryService()), asyncio.Event()

    async def app(scope, receive, send) -> None:
        async def told() -> Message:
            waiting.set()
            return await receive()

        await api(scope, told, send)

    async with serving(app) as server:
        reader, writer = await asyncio.open_connection(*address_of(server))
        writer.write(head + b"%x\r\n%b\r\n" % (len(body), body))
        async with asyncio.timeout(5):
            await waiting.wait()
            writer.write(b"nothing\r\n")
            answer = await read_answer(reader)
        writer.close()
    assert answer.problem["code"] == "malformed-request"
    assert "chunk size" in answer.problem["detail"]
    assert answer.problem["instance"] == "/users"
    assert await service.log.head() == 0
    assert not [each for each in caplog.records if each.levelno >= logging.INFO]


async def test_a_malformed_request_logs_a_line_with_its_id_at_debug_only(caplog):
    """The client has the id; a flood of them does not fill the log."""
    caplog.set_level(logging.DEBUG, "app")
    async with serving(Echo()) as server:
        [answer] = await answers_to(address_of(server), b"\x00\x01\r\n\r\n")
    [record] = [each for each in caplog.records if each.name.split(".")[0] in ("app", "uvicorn")]
    assert record.levelno == logging.DEBUG
    assert record.request_id == answer.problem["request_id"]
    assert record.getMessage() == f"Refused with 400: {answer.problem['detail']}"
