"""The audit log: its lines, and where they are written."""

import json
from datetime import UTC, datetime

import pytest

from app.cli.auditing import OperatorMediator
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
    assert principals == [operator("projections")] * 3
