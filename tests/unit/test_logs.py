import json
import logging

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from app.framework.observability import logs
from app.framework.request import logged_request_id
from tests.unit.api.edges import edge


@pytest.fixture
def written(capsys):
    """Gives the lines written since the last time."""

    def lines() -> list[str]:
        return capsys.readouterr().err.splitlines()

    return lines


@pytest.fixture
def under_way():
    """Has the test be in the midst of a request of an id."""
    tokens = []
    yield lambda *ids: tokens.append(logged_request_id.set(ids))
    for token in tokens:
        logged_request_id.reset(token)


def test_a_line_of_json_carries_the_request_id(written, under_way):
    """Whatever library wrote it: one object a line, with the context and what was passed on."""
    logs.configure("info", "json")
    under_way("r1", "made")
    logging.getLogger("app.somewhere").info("Took %d ms.", 7, extra={"handler": "register"})
    structlog.get_logger("app.elsewhere").warning("Late.", seconds=3)
    first, second = [json.loads(line) for line in written()]
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "message": "Took 7 ms.",
        "level": "info",
        "logger": "app.somewhere",
        "request_id": "r1",
        "internal_request_id": "made",
        "handler": "register",
    }
    assert second["message"] == "Late."
    assert second["seconds"] == 3
    assert second["request_id"] == "r1"


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_error_is_told_without_the_values_of_variables(written, form):
    """Its traceback is there; passwords and people's data that variables hold are not."""
    logs.configure("info", form)
    secret = "hunter" + "2"
    try:
        int(secret[:-1])
    except ValueError:
        logging.getLogger("app").exception("It failed.")
    text = "\n".join(lines := written())
    assert "Traceback (most recent call last)" in text
    assert "ValueError: invalid literal" in text
    assert secret not in text
    if form == "json":
        assert "ValueError" in json.loads(*lines)["exception"]


def test_a_line_for_the_console_is_plain_text_off_a_terminal(written, under_way):
    """No colours in a file."""
    logs.configure("info", "console")
    under_way("r1", "made")
    logging.getLogger("app.somewhere").info("Done.")
    [line] = written()
    assert "Done." in line
    assert "request_id=r1" in line
    assert "\x1b" not in line


def test_what_is_below_the_level_is_not_written(written):
    """And of libraries that talk a lot only warnings are, and all of the app's."""
    logs.configure("debug", "console")
    logging.getLogger("app").debug("heard")
    logging.getLogger("uvicorn.error").info("unheard")
    logging.getLogger("pymongo.command").debug("unheard")
    logging.getLogger("uvicorn.error").warning("also heard")
    logs.configure("error", "console")
    logging.getLogger("app").warning("unheard")
    assert [line.split()[3] for line in written()] == ["heard", "also"]


FORGED = "/users/a\n2026-03-14T09:26:53Z [info     ] forged\r\x1b[2K\x9b1A\u2028b\u202ec\x00"


@pytest.mark.parametrize("form", ["json", "console"])
def test_what_clients_send_forges_no_line_and_moves_no_terminal(written, form):
    """As the message, an argument, a value beside it, or in the text of an error."""
    logs.configure("info", form)
    log = logging.getLogger("app.somewhere")
    error = ValueError(FORGED)
    try:
        raise error
    except ValueError:
        log.exception("Unhandled exception in %s %s", "GET", FORGED, extra={"path": FORGED})
    log.warning(FORGED)
    structlog.get_logger("app.elsewhere").warning("Late.", path=FORGED)
    lines = written()
    assert not [each for line in lines for each in line if not each.isprintable()]
    own = [line for line in lines if not line.startswith("  ")]
    assert len(own) == 3
    assert not [line for line in own if line.startswith("2026-03-14T")]
    if form == "json":
        first, second, third = map(json.loads, own)
        assert first["path"] == second["message"] == third["path"] == FORGED
        assert FORGED in first["message"]
        assert FORGED in first["exception"]
    else:
        assert r"GET /users/a\n2026-03-14T09:26:53Z [info     ] forged\r\x1b[2K" in own[0]


async def test_a_500_forges_no_line(written):
    """Its path is what the client sent, decoded."""
    logs.configure("info", "console")

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    api = Starlette(
        routes=[Route("/users/{user_id}", broken)],
        middleware=[Middleware(edge)],
    )
    path = "/users/%E2%80%A82026-03-14T09:26:53.000000Z%20%5Binfo%5D%20forged%C2%9B2K"
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get(path)
    assert answer.json()["code"] == "internal-error"
    first, *traceback = [line for line in written() if "[httpx]" not in line]
    assert r"/users/\u20282026-03-14T09:26:53.000000Z [info] forged\x9b2K" in first
    assert f"request_id={answer.headers['x-request-id']}" in first
    assert all(line.startswith("  ") for line in traceback)
