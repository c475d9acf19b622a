"""The audit log: its lines, and where they are written."""

import contextlib
import json
import logging
import os
import pwd
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest

from app.adapters.identity import new_key
from app.cli.auditing import OperatorMediator, account, audited
from app.framework.administration import AdministrationError, GetProjection, PauseProjection
from app.framework.mediator import Mediator
from app.framework.observability import logs
from app.framework.observability.audit import AuditOutcome, audit
from app.framework.principal import ANYONE, Principal, PrincipalKind, operator
from app.host.settings import InvalidSettings, Settings

ALICE = Principal(kind=PrincipalKind.USER, issuer="https://login.example.com", subject="alice")


def test_a_line_is_one_object_of_what_is_known(capsys):
    """At any level and in any form of the log."""
    logs.configure("error", "console")
    before = datetime.now(UTC)
    audit(
        "put_user",
        AuditOutcome.REFUSED,
        principal=ALICE,
        address="192.0.2.7",
        resource={"user_id": "alice"},
        request_id="r\n1",
        status=409,
        problem=None,
    )
    [line] = capsys.readouterr().err.splitlines()
    found = json.loads(line)
    assert before <= datetime.fromisoformat(found.pop("timestamp")) <= datetime.now(UTC)
    assert found == {
        "logger": "app.audit",
        "operation": "put_user",
        "outcome": "refused",
        "principal": {
            "kind": "user",
            "issuer": "https://login.example.com",
            "subject": "alice",
        },
        "resource": {"user_id": "alice"},
        "request_id": "r\n1",
        "status": 409,
    }


@pytest.mark.parametrize("principal", [None, ANYONE])
def test_an_address_stands_for_an_unknown_principal(capsys, principal):
    """Without it the line would say nothing about who it was."""
    logs.configure("info", "json")
    audit(None, AuditOutcome.REFUSED, principal=principal, address="192.0.2.7")
    found = json.loads(capsys.readouterr().err)
    assert found["principal"] == {"kind": "anyone", "address": "192.0.2.7"}


def test_lines_go_to_a_file_that_may_be_rotated(capsys, tmp_path):
    """And not to standard error as well; a file that was moved away is made anew."""
    file = tmp_path / "audit.log"
    file.write_text("{}\n")
    logs.configure("info", "console", file)
    audit("one", AuditOutcome.DONE, principal=operator("test"))
    file.rename(tmp_path / "audit.log.1")
    audit("two", AuditOutcome.DONE, principal=operator("test"))
    assert len((tmp_path / "audit.log.1").read_text().splitlines()) == 2
    assert json.loads(file.read_text())["operation"] == "two"
    assert capsys.readouterr().err == ""


def test_a_file_that_cannot_be_opened_again_costs_lines_only(capsys, tmp_path):
    """What is audited has happened by then. The log says so once, and when lines go on."""
    file = tmp_path / "logs" / "audit.log"
    file.parent.mkdir()
    logs.configure("info", "console", file)
    audit("one", AuditOutcome.DONE, principal=ALICE)
    shutil.rmtree(file.parent)
    for _ in range(3):
        audit("lost", AuditOutcome.DONE, principal=ALICE)
    [said] = capsys.readouterr().err.splitlines()
    assert f"Cannot write the audit log {file}: [Errno 2] No such file or directory" in said
    assert "AUDIT_LOG" in said
    file.parent.mkdir()
    audit("two", AuditOutcome.DONE, principal=ALICE)
    audit("three", AuditOutcome.DONE, principal=ALICE)
    found = [json.loads(each)["operation"] for each in file.read_text().splitlines()]
    assert found == ["two", "three"]
    [said] = capsys.readouterr().err.splitlines()
    assert "is written again; up to 3 of its lines were lost" in said


def test_a_disk_that_is_full_costs_lines_only(capsys):
    """No traceback for each of them."""
    logs.configure("info", "console", Path("/dev/full"))
    for _ in range(3):
        audit("lost", AuditOutcome.DONE, principal=ALICE)
    [said] = capsys.readouterr().err.splitlines()
    assert "Cannot write the audit log /dev/full: [Errno 28] No space left on device" in said


def test_lines_go_on_in_another_file_when_the_first_stays_full(capsys, tmp_path):
    """Though the first never takes what it was given."""
    file = tmp_path / "audit.log"
    file.symlink_to("/dev/full")
    logs.configure("info", "console", file)
    audit("lost", AuditOutcome.DONE, principal=ALICE)
    file.unlink()
    for each in ("lost", "two", "three"):
        audit(each, AuditOutcome.DONE, principal=ALICE)
    found = [json.loads(each)["operation"] for each in file.read_text().splitlines()]
    assert found == ["two", "three"]
    assert "up to 2 of its lines were lost" in capsys.readouterr().err


@pytest.mark.parametrize("file", [None, Path("/dev/full")])
@pytest.mark.parametrize("is_closed", [False, True])
def test_standard_error_may_take_nothing(monkeypatch, file, is_closed):
    """Neither lines nor what could be said about that."""
    stream = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115 - it is closed below
    monkeypatch.setattr(sys, "stderr", stream)
    logs.configure("info", "console", file)
    if is_closed:
        with contextlib.suppress(OSError):
            stream.close()
    audit("lost", AuditOutcome.DONE, principal=ALICE)
    logging.getLogger("app.test").warning("lost")
    with contextlib.suppress(OSError):
        stream.close()


def test_there_may_be_no_standard_error(monkeypatch):
    """As in a process that was started with it closed."""
    monkeypatch.setattr(sys, "stderr", None)
    logs.configure("info", "console")
    audit("lost", AuditOutcome.DONE, principal=ALICE)
    logging.getLogger("app.test").warning("lost")


def test_only_ids_are_written_of_a_resource(capsys):
    """Not what another text may say, wherever the line comes from."""
    logs.configure("info", "json")
    ids = {
        "user_id": "alice_1",
        "stream_id": "user-alice",
        "number": "3",
        "id": str(uuid4()),
    }
    values = {
        "key": "alice@example.com",
        "jwt": "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln",
        "api_key": new_key(),
        "stream": f"user-{new_key()}",
        "words": "Alice Smith",
        "empty": "",
        "line": "a\n",
        "long": "a" * 129,
    }
    audit("one", AuditOutcome.DONE, principal=ALICE, resource=ids | values)
    assert json.loads(capsys.readouterr().err)["resource"] == ids


def test_a_file_that_cannot_be_written_is_refused(tmp_path):
    """Before anything is served, by the name of the variable."""
    with pytest.raises(InvalidSettings, match=r"^AUDIT_LOG: .*cannot be written: Is a directory"):
        Settings.load(audit_log=tmp_path)


async def test_commands_of_operators_are_written(capsys):
    """With their ids and who sent them, also those that fail; queries are not."""
    logs.configure("info", "console")
    principals = []

    async def pause(message, context):
        principals.append(context.principal)
        if message.name == "absent":
            raise AdministrationError

    mediator = Mediator()
    mediator.register(PauseProjection.handled_by(pause))
    mediator.register(GetProjection.handled_by(pause))
    operators = OperatorMediator(mediator, "projections")
    await operators.send(PauseProjection("views"))
    await operators.send(GetProjection("views"))
    with pytest.raises(AdministrationError):
        await operators.send(PauseProjection("absent"))
    lines = [json.loads(each) for each in capsys.readouterr().err.splitlines()]
    assert [(each["operation"], each["resource"], each["outcome"]) for each in lines] == [
        ("pause_projection", {"name": "views"}, "done"),
        ("pause_projection", {"name": "absent"}, "failed"),
    ]
    assert lines[0]["principal"] == {"kind": "operator", "subject": "projections"}
    assert {each["account"] for each in lines} == {pwd.getpwuid(os.getuid()).pw_name}
    assert principals == [operator("projections")] * 3


def test_an_account_without_a_name_has_its_number(monkeypatch):
    """In a container the number may be all there is; what the environment says counts nothing."""
    monkeypatch.setenv("USER", "mallory")
    monkeypatch.setenv("LOGNAME", "mallory")
    assert account() == pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert account() == "4000000000"


def test_an_account_whose_name_is_no_text_has_a_line(monkeypatch, capsys):
    """Operating systems have bytes; those that are not UTF-8 can be told from the line."""
    name = os.fsdecode(b"ad\xffa")
    monkeypatch.setattr(pwd, "getpwuid", lambda _: SimpleNamespace(pw_name=name))
    logs.configure("info", "json")
    with audited("projections", "pause_projection"):
        pass
    line = capsys.readouterr().err
    assert line.isascii()
    assert json.loads(line)["account"] == name
