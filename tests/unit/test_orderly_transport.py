"""What a connection writes, and when it is sent."""

import asyncio

import pytest

from app.host.server.hanging_up import OrderlyTransport

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"


class _Sent(asyncio.Transport):
    """Notes what is sent, call by call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[bytes | str] = []
        self.closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.calls.append(bytes(data))

    def write_eof(self) -> None:
        self.calls.append("end")

    def get_write_buffer_size(self) -> int:
        return 0

    def get_protocol(self) -> asyncio.BaseProtocol:
        return asyncio.Protocol()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        self.calls.append("abort")
        self.closing = True

    def close(self) -> None:
        self.calls.append("close")
        self.closing = True


@pytest.fixture
def sent() -> _Sent:
    """The connection beneath."""
    return _Sent()


@pytest.fixture
async def transport(sent: _Sent) -> OrderlyTransport:
    """The one that is tested."""
    return OrderlyTransport(sent, asyncio.get_running_loop())


async def test_a_head_and_its_body_are_sent_together(transport, sent):
    """Also an empty body."""
    transport.write(HEAD)
    assert sent.calls == []
    transport.write(b"body")
    transport.write(b"more")
    assert sent.calls == [HEAD + b"body", b"more"]
    transport.write(HEAD)
    transport.write(b"")
    assert sent.calls[2:] == [HEAD]


@pytest.mark.parametrize(
    "alone",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        HEAD + b"body",
        b"data: \r\ncontent-length: 4\r\n\r\n",
    ],
)
async def test_all_else_is_sent_at_once(transport, sent, alone):
    """What a stream sends is due as soon as it is there."""
    transport.write(alone)
    assert sent.calls == [alone]


@pytest.mark.parametrize("end", ["flush", "close", "abort", "get_write_buffer_size"])
async def test_no_head_is_left_behind(transport, sent, end):
    """It is sent before the connection ends, and once."""
    transport.write(HEAD)
    getattr(transport, end)()
    assert sent.calls[0] == HEAD
    transport.flush()
    assert sent.calls.count(HEAD) == 1


async def test_nothing_is_sent_once_it_is_closed(transport, sent):
    """Neither after `close`, nor if the other side is gone."""
    transport.close()
    transport.write(b"late")
    assert sent.calls == ["end"]


async def test_nothing_is_sent_to_one_that_is_gone(transport, sent):
    """It closed in between."""
    transport.write(HEAD)
    sent.closing = True
    transport.flush()
    assert sent.calls == []
