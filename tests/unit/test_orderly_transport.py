"""What a connection writes, and when it is sent."""

import asyncio

import pytest

from app.host.server.hanging_up import OrderlyTransport


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
    """Without waiting for the end of the turn; also an empty body."""
    transport.write(b"head ")
    transport.write(b"body")
    assert sent.calls == [b"head body"]
    transport.write(b"head")
    transport.write(b"")
    assert sent.calls == [b"head body", b"head"]
    await asyncio.sleep(0)
    assert len(sent.calls) == 2


async def test_what_is_alone_is_sent_at_the_end_of_the_turn(transport, sent):
    """A stream has a head, and its events later, each in its own turn."""
    transport.write(b"head")
    assert sent.calls == []
    await asyncio.sleep(0)
    assert sent.calls == [b"head"]
    for part in (b"1", b"2", b"3"):
        transport.write(part)
    await asyncio.sleep(0)
    assert sent.calls == [b"head", b"12", b"3"]


@pytest.mark.parametrize("end", ["close", "abort", "get_write_buffer_size"])
async def test_nothing_is_left_behind(transport, sent, end):
    """What was written is sent before the connection ends, or is asked what it has not sent."""
    transport.write(b"answer")
    getattr(transport, end)()
    assert sent.calls[0] == b"answer"
    await asyncio.sleep(0)
    assert sent.calls.count(b"answer") == 1


async def test_nothing_is_sent_once_it_is_closed(transport, sent):
    """Neither after `close`, nor if the other side is gone."""
    transport.close()
    transport.write(b"late")
    transport.write(b"later")
    await asyncio.sleep(0)
    assert sent.calls == ["end"]


async def test_nothing_is_sent_to_one_that_is_gone(transport, sent):
    """It closed in between."""
    transport.write(b"answer")
    sent.closing = True
    await asyncio.sleep(0)
    assert sent.calls == []
