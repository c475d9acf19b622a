"""What is said of each kind of problem, where its `type` leads."""

import importlib
import pkgutil
import re

import pytest

from app.framework.http import problems
from app.framework.http.application import mappings_of
from app.framework.http.problems import ERROR_MAPPINGS, problem_types, status_problem
from app.framework.http.problems.kinds import ProblemType
from app.main import http_sides

MODULES = [
    problems,
    *(
        importlib.import_module(f"{problems.__name__}.{each.name}")
        for each in pkgutil.iter_modules(problems.__path__)
    ),
]
OF_MODULES = {each for it in MODULES for each in vars(it).values() if isinstance(each, ProblemType)}
KINDS = [*OF_MODULES, *(each.problem for each in mappings_of(http_sides()).values())]
KINDS = sorted({*KINDS}, key=lambda each: each.code)


async def test_every_kind_is_listed(client):
    """Each with what the table says of it, by status."""
    listed = (await client.get("/problems")).json()["items"]
    assert {each["code"] for each in listed} == {each.code for each in KINDS}
    assert [each["status"] for each in listed] == sorted(each.status for each in KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
async def test_the_type_of_a_problem_leads_to_what_it_means(client, kind):
    """It is a path of this service, and tells when and what to do."""
    found = (await client.get(kind.uri)).json()
    assert found == {
        "type": kind.uri,
        "code": kind.code,
        "status": kind.status,
        "title": kind.title,
        "meaning": kind.meaning,
        "example": kind.example,
    }
    assert len(re.findall(r"[.:;]", kind.meaning)) >= 1
    assert not re.search(r"  |- | $", kind.meaning + kind.example)


@pytest.mark.parametrize("code", ["teapot", "user-not-found-", "-"])
async def test_an_unknown_kind_is_not_found(client, code):
    """As any path that leads nowhere."""
    answer = await client.get(f"/problems/{code}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_what_is_no_more_than_a_status_says_so():
    """A kind without a meaning of its own leads nowhere (RFC 9457, section 4.2.1)."""
    kind = status_problem(418)
    assert (kind.uri, kind.code) == ("about:blank", "i'm-a-teapot")
    assert kind not in problem_types(ERROR_MAPPINGS)
