import json
import socket

import pytest

from app.cli import main
from app.cli.projections import table
from app.cli.serve import warn_of_any_host
from app.framework.projections import ProjectionState, ProjectionStatus
from app.host.server.listening import CannotListen, base_url, bind
from app.host.settings import Settings


@pytest.mark.parametrize("arguments", [[], ["conduct"], ["serve", "--sideways"]])
def test_a_call_that_makes_no_sense_shows_how(capsys, arguments):
    """Usage on standard error, exit status 2."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: python -m app")


@pytest.mark.parametrize("command", ["serve", "migrate", "projections", "openapi"])
def test_every_command_has_help(capsys, command):
    """`--help` explains the command and does nothing."""
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: python -m app {command}")


def test_the_table_of_projections_is_aligned():
    """A column each; what is not known is a question mark; errors stand behind the state."""
    running = ProjectionStatus("profiles", 1, 1200, 1234, ProjectionState.RUNNING)
    stopped = ProjectionStatus("views", 12, 7, 1234, ProjectionState.STOPPED, error="No such key.")
    unknown = ProjectionStatus("a", 1, None, None, ProjectionState.UNKNOWN)
    assert table([running, stopped, unknown]) == (
        "NAME      VERSION  POSITION  HEAD  LAG   STATE\n"
        "profiles  1        1200      1234  34    running\n"
        "views     12       7         1234  1227  stopped: No such key.\n"
        "a         1        ?         ?     ?     unknown\n"
    )


def test_a_document_that_clients_rely_on_is_not_overwritten(tmp_path, capsys):
    """What would break them is listed, and the file stays; unless that is what is meant."""
    file = tmp_path / "openapi.json"
    assert main(["openapi", "--output", str(file)]) == 0
    current = file.read_text(encoding="utf-8")
    promised = json.loads(current)
    promised["paths"]["/users/{user_id}/avatar"] = {"get": {}}
    file.write_text(json.dumps(promised))
    assert main(["openapi", "--output", str(file)]) == 1
    assert json.loads(file.read_bytes()) == promised
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith(f"{file} is unchanged")
    assert said[1:-1] == ["  GET /users/{user_id}/avatar is gone"]
    assert main(["openapi", "--output", str(file), "--breaking"]) == 0
    assert file.read_text(encoding="utf-8") == current


@pytest.mark.parametrize("held", ["", "[]", "{}", "not JSON"])
def test_a_file_that_holds_no_document_is_overwritten(tmp_path, held):
    """Nobody can have generated a client from it."""
    file = tmp_path / "openapi.json"
    file.write_text(held)
    assert main(["openapi", "--output", str(file)]) == 0
    assert json.loads(file.read_bytes())["info"]["title"] == "Diptych"


def test_binding_keeps_others_from_listening_there():
    """Once it listens, a second bind is refused with the setting to change."""
    with bind("127.0.0.1", 0) as first:
        first.listen()
        port = first.getsockname()[1]
        assert base_url(first) == f"http://127.0.0.1:{port}"
        with pytest.raises(CannotListen, match=rf"^PORT: 127\.0\.0\.1:{port} is in use; "):
            bind("127.0.0.1", port)


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.1", "a..b", "x" * 70])
def test_a_host_that_is_not_ours_is_named(host):
    """Be it unknown, the address of another machine, or nothing that could be a name."""
    with pytest.raises(CannotListen, match=f"^HOST: {host} cannot be listened on: "):
        bind(host, 0)


def test_the_address_of_every_interface_is_shown_as_one_to_open():
    """A browser cannot open 0.0.0.0 everywhere, and an IPv6 address needs brackets."""
    with bind("0.0.0.0", 0) as every:
        assert base_url(every) == f"http://127.0.0.1:{every.getsockname()[1]}"
    if socket.has_ipv6:
        with bind("::1", 0) as six:
            assert base_url(six) == f"http://[::1]:{six.getsockname()[1]}"


@pytest.mark.parametrize(
    ("settings", "warns"),
    [
        ({}, False),
        ({"host": "0.0.0.0"}, True),
        ({"host": "0.0.0.0", "allowed_hosts": "*"}, False),
        ({"host": "0.0.0.0", "allowed_hosts": "users.example.com"}, False),
    ],
)
def test_a_service_that_answers_for_any_host_says_so(caplog, settings, warns):
    """Unless it was asked to; the line names the setting."""
    warn_of_any_host(Settings.load(**settings))
    assert [each.levelname for each in caplog.records] == ["WARNING"] * warns
    assert ("ALLOWED_HOSTS" in caplog.text) is warns
