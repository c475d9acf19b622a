"""Refusals by rate limits in the audit log: all are counted, and few have a line."""

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from app.bootstrap import policies_of
from app.framework.http import rate_limits, refusal_lines
from app.framework.http.application import Access
from app.framework.http.buckets import Rate
from app.framework.http.refusal_lines import RefusalLines
from app.framework.principal import Principal, PrincipalKind
from tests.following import until
from tests.unit.api.access import Known
from tests.unit.api.service import application

ALICE = Principal(kind=PrincipalKind.CLIENT, subject="alice", scopes=frozenset({"users:list"}))


@pytest.fixture
def lines(caplog) -> Callable[[], Sequence[dict[str, Any]]]:
    """Gives the lines so far."""
    caplog.set_level(logging.INFO, "app.audit")
    return lambda: [
        json.loads(each.getMessage()) for each in caplog.records if each.name == "app.audit"
    ]


async def test_one_that_floods_does_not_flood_the_audit_log(service, lines, monkeypatch):
    """Its first refusal has a line; the others have one together at the end of the process."""
    monkeypatch.setattr(rate_limits, "REFUSAL_SECONDS", 0.01)
    known = Known()
    access = Access(authenticator=known, policies=policies_of(), rate=Rate(a_minute=1, burst=20))
    api = application(service, access=access)
    headers = {"Authorization": f"Bearer {known.token(ALICE)}"}
    transport = httpx.ASGITransport(api, client=("192.0.2.7", 1))
    async with (
        api.router.lifespan_context(api),
        httpx.AsyncClient(
            transport=transport, base_url="http://diptych", headers=headers
        ) as client,
    ):
        answers = [(await client.get("/users")).status_code for _ in range(54)]
        written = lines()
    assert answers == [200] * 4 + [429] * 50
    [first] = written
    assert (first["operation"], first["problem"]) == ("list_users", "too-many-requests")
    assert "repeated" not in first
    [_, rest] = lines()
    assert rest.pop("timestamp")
    assert rest == {
        "logger": "app.audit",
        "outcome": "refused",
        "principal": {"kind": "client", "subject": "alice"},
        "resource": {},
        "status": 429,
        "problem": "too-many-requests",
        "repeated": 49,
    }


async def test_a_client_that_stops_has_a_line_of_the_rest(lines, monkeypatch):
    """After some seconds, not at its next refusal, which may never come; then it starts anew."""
    monkeypatch.setattr(refusal_lines, "SECONDS", 0.05)
    written = RefusalLines()
    counted = [written.counts("one", None, "192.0.2.7") for _ in range(1000)]
    assert counted == [False] + [True] * 999
    assert lines() == []
    await until(lambda: len(lines()) == 1)
    [line] = lines()
    assert (line["repeated"], line["principal"]["address"]) == (999, "192.0.2.7")
    await until(lambda: len(written) == 0)
    assert not written.counts("one", None, "192.0.2.7")
    assert len(lines()) == 1


async def test_each_client_is_counted_for_itself(lines):
    """And nothing is written of one that was refused once."""
    written = RefusalLines()
    for key, times in {"one": 1, "two": 2, "three": 4}.items():
        for _ in range(times):
            written.counts(key, Principal(kind=PrincipalKind.USER, subject=key), None)
    written.write_all()
    found = {each["principal"]["subject"]: each["repeated"] for each in lines()}
    assert found == {"two": 1, "three": 3}
    written.write_all()
    assert len(lines()) == 2


async def test_memory_is_bounded(lines, monkeypatch):
    """With too many clients the oldest has its line early; no refusal is uncounted."""
    monkeypatch.setattr(refusal_lines, "CLIENTS", 2)
    written = RefusalLines()
    for key in ("one", "one", "two", "three"):
        written.counts(key, None, key)
    assert [(each["principal"]["address"], each["repeated"]) for each in lines()] == [("one", 1)]
    assert len(written) == 2
    assert not written.counts("one", None, "one")
