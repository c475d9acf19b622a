import json
import logging

import pytest
import structlog

from app import logs


@pytest.fixture
def written(capsys):
    """Gives the lines written since the last time. After the test logging is as it was."""
    root = logging.getLogger()
    before = (root.handlers, root.level)

    def lines() -> list[str]:
        return capsys.readouterr().err.splitlines()

    yield lines
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()
    root.handlers, root.level = before


def test_a_line_of_json_carries_the_request_id(written):
    """Whatever library wrote it: one object a line, with the context and what was passed on."""
    logs.configure("info", "json")
    structlog.contextvars.bind_contextvars(request_id="r1")
    logging.getLogger("app.somewhere").info("Took %d ms.", 7, extra={"handler": "register"})
    structlog.get_logger("app.elsewhere").warning("Late.", seconds=3)
    first, second = [json.loads(line) for line in written()]
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "message": "Took 7 ms.",
        "level": "info",
        "logger": "app.somewhere",
        "request_id": "r1",
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


def test_a_line_for_the_console_is_plain_text_off_a_terminal(written):
    """No colours in a file."""
    logs.configure("info", "console")
    structlog.contextvars.bind_contextvars(request_id="r1")
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
