import json
import os
import re
import signal
import socket
import sys
from collections.abc import Iterator

import pytest
from typer.core import TyperGroup

from app.cli import COMMANDS, main
from app.cli.commands import LazyCommand
from app.cli.serve import call_with_token, warn_of_any_client, warn_of_any_host
from app.host.server.listening import CannotListen, base_url, bind
from app.host.settings import Settings


def paths(group: TyperGroup = COMMANDS) -> Iterator[list[str]]:
    """The arguments that call each command and each group."""
    for name, command in group.commands.items():
        yield [name]
        if isinstance(command, TyperGroup):
            yield from ([name, *each] for each in paths(command))


@pytest.fixture
def command(monkeypatch, tmp_path):
    """Adds a command `trial` whose module holds the text that is given."""

    def add(text: str) -> None:
        (tmp_path / "trial_command.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "trial_command", raising=False)
        trial = LazyCommand("trial", "trial_command", "Try.")
        monkeypatch.setitem(COMMANDS.commands, "trial", trial)

    return add


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing command. See python -m app --help."),
        (["conduct"], "No such command 'conduct'. See python -m app --help."),
        (
            ["mirgate"],
            "No such command 'mirgate'. Did you mean 'migrate'? See python -m app --help.",
        ),
        (["serve", "--sideways"], "No such option: --sideways. See python -m app serve --help."),
        (["projections", "-x"], "No such option: -x. See python -m app projections list --help."),
    ],
)
def test_a_call_that_makes_no_sense_says_where_to_look(capsys, arguments, said):
    """One line on standard error, exit status 2."""
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.err == f"{said}\n"
    assert not printed.out


@pytest.mark.parametrize("arguments", [*paths()], ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_has_help(capsys, arguments, option):
    """`--help` explains the command and does nothing."""
    assert main([*arguments, option]) == 0
    usage, *text = capsys.readouterr().out.split("\n\n")
    assert usage.startswith(f"Usage: python -m app {' '.join(arguments)} [OPTIONS]")
    assert text[0].strip()
    assert re.findall(r"--[A-Z]\w*", "".join(text)) == [], "typer names options after metavars"


def test_the_help_lists_every_command(capsys):
    """With a line of what it does."""
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:")[2]
    for name, command in COMMANDS.commands.items():
        assert f"  {name}" in listed
        assert (command.short_help or command.help or "?") in listed


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("def run(): return 0", 0),
        ("def run(): return 1", 1),
        ("def run(): raise KeyboardInterrupt", 130),
        ("from app.cli import StorageError\ndef run(): raise StorageError('Gone.')", 1),
        ("from app.cli import InvalidSettings\ndef run(): raise InvalidSettings('PORT: 0')", 2),
    ],
)
def test_the_exit_status_says_how_a_command_ended(command, text, status):
    """Errors, settings and Ctrl-C each have one."""
    command(text)
    assert main(["trial"]) == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_command_in_order(command, number):
    """Its `finally` blocks run; the exit status is 128 and the signal's number."""
    command(
        "import os, signal\n"
        "def run():\n"
        f"    try: os.kill(os.getpid(), {int(number)}); signal.pause()\n"
        "    finally: os.environ['TRIAL_ENDED'] = 'yes'\n"
    )
    usual = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)]
    signal.signal(number, signal.SIG_DFL)  # `nohup` has it ignored, and then it stays so
    try:
        with pytest.raises(SystemExit) as caught:
            main(["trial"])
    finally:
        for each, handler in zip((signal.SIGTERM, signal.SIGHUP), usual, strict=True):
            signal.signal(each, handler)
    assert caught.value.code == 128 + number
    assert os.environ.pop("TRIAL_ENDED") == "yes"


def test_an_unexpected_error_has_a_plain_traceback(command):
    """One of typer's own would show source, and with a setting of its environment local values."""
    command("def run(): raise RuntimeError")
    usual = sys.excepthook
    with pytest.raises(RuntimeError):
        main(["trial"])
    assert sys.excepthook is usual


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
        ({"host": "0.0.0.0", "auth": "none-anywhere"}, True),
        ({"host": "0.0.0.0", "auth": "none-anywhere", "allowed_hosts": "*"}, False),
        ({"host": "0.0.0.0", "auth": "none-anywhere", "allowed_hosts": "users.example.com"}, False),
    ],
)
def test_a_service_that_answers_for_any_host_says_so(caplog, settings, warns):
    """Unless it was asked to; the line names the setting."""
    warn_of_any_host(Settings.load(**settings))
    assert [each.levelname for each in caplog.records] == ["WARNING"] * warns
    assert ("ALLOWED_HOSTS" in caplog.text) is warns


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, None),
        ({"auth_issuers": "https://login.example.com", "auth_audiences": "users"}, None),
        ({"auth": "none"}, "every program on this machine can read and change everything"),
        ({"auth": "none-anywhere"}, "every program on this machine can read and change everything"),
        (
            {"auth": "none-anywhere", "host": "0.0.0.0"},
            "every client can read and change everything",
        ),
    ],
)
def test_a_service_without_authentication_says_so(caplog, settings, said):
    """At each start; the line names the setting."""
    warn_of_any_client(Settings.load(**settings))
    assert [each.levelname for each in caplog.records] == ["WARNING"] * bool(said)
    assert said is None or (caplog.text.count("AUTH is none"), said in caplog.text) == (1, True)


@pytest.mark.parametrize(
    ("from_make", "data_dir", "makes"),
    [
        (True, ".data", "make -s token"),
        (False, ".data", f"{sys.executable} -m app token"),
        (True, "/tmp/my data", "DATA_DIR='/tmp/my data' make -s token"),
    ],
)
def test_a_start_in_development_shows_a_call_with_a_token(monkeypatch, from_make, data_dir, makes):
    """One line that can be copied, by the way the service was started."""
    monkeypatch.delenv("MAKELEVEL", raising=False)
    if from_make:
        monkeypatch.setenv("MAKELEVEL", "1")
    shown = call_with_token(Settings.load(data_dir=data_dir), "http://127.0.0.1:8000")
    assert shown == (
        f'curl -H "Authorization: Bearer $({makes})" http://127.0.0.1:8000/projections'
    )
