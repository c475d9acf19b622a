"""Every operation of every context keeps what clients are promised.

In memory each promise is tried on its own; on real servers all of an operation are.
"""

from collections.abc import Callable

import pytest

from app.bootstrap import CONTEXTS
from app.framework.http.operations import Operation
from app.framework.mediator import Command, Query
from tests.contexts import promises
from tests.contexts.api import Api
from tests.contexts.cases import CASES, Case, operations_of
from tests.contexts.conftest import client_of
from tests.contexts.declarations import declared_by, name_of
from tests.contexts.promises import PROMISES, code_of
from tests.unit.api.service import MemoryService
from tests.world import World


def each_case(kind: Callable[[Case], bool]) -> pytest.MarkDecorator:
    """Has a test run for the cases of a kind."""
    found = [each for each in CASES if kind(each)]
    return pytest.mark.parametrize("case", found, ids=lambda case: case.name)


@pytest.fixture
def api(client, service) -> Api:
    """Calls of a service in memory."""
    return Api(client, service.log.head)


@pytest.mark.parametrize("context", CONTEXTS, ids=name_of)
def test_every_operation_has_an_example(context):
    """Or what is promised of it is not tried."""
    called = {each.call.operation for each in declared_by(context).EXAMPLES}
    missing = [row_for(each) for _, each in operations_of(context) if each.name not in called]
    if missing:
        pytest.fail(
            f"Add to EXAMPLES in tests/contexts/{name_of(context)}/examples.py, with values for "
            "the dots:\n" + "\n".join(missing),
            pytrace=False,
        )


def row_for(operation: Operation) -> str:
    """The row to add for an operation."""
    call = f'Call("{operation.name}"{", {...}" if operation.body else ""})'
    another = f", another={call}" if operation.is_command else ""
    return f"    Example({call}, given=[...]{another}),"


@each_case(lambda case: case.is_command)
async def test_a_repeat_under_a_key_is_done_once(api, case):
    """It is answered as the first was; another request under the key is refused."""
    await api.make(case.example.given)
    await promises.does_it_once(api, case)


@each_case(lambda case: case.is_command)
async def test_a_read_with_the_token_of_a_write_holds_it(api, service, case):
    """Wherever what was written can be read."""
    await api.make([*case.example.given, case.call])
    await service.project()
    await promises.holds_what_was_written(api, case)


@each_case(lambda case: case.expects_version)
async def test_a_change_of_another_version_is_refused(api, case):
    """One of the version that is there is carried out."""
    await api.make(case.example.given)
    await promises.refuses_another_version(api, case)
    done = await api.call(case.call, {"If-Match": api.written.headers["ETag"]})
    assert done.status_code == case.operation.status, done.text


@each_case(lambda case: not case.is_command)
async def test_a_read_waits_for_its_token(api, service, case):
    """In vain, as long as nothing projects."""
    await api.make(case.example.given)
    behind = await api.call(case.call, api.token)
    assert code_of(behind) == (503, "read-model-behind")
    await service.project()
    assert (await api.call(case.call, api.token)).status_code == 200
    await promises.refuses_a_bad_token(api, case)


@each_case(lambda case: case.has_etag)
async def test_a_read_of_what_the_client_has_is_answered_304(api, service, case):
    """Under If-None-Match."""
    await api.make(case.example.given)
    await service.project()
    await promises.answers_what_is_new_only(api, case)


@each_case(lambda case: case.is_page)
async def test_pages_lead_on_to_each_other(api, service, case):
    """By their cursors; what is no cursor is refused."""
    await api.make(case.example.given)
    await service.project()
    await promises.leads_on(api, case)


@each_case(lambda _: True)
async def test_a_process_without_the_role_says_so(case):
    """One that serves messages of the other kind only."""
    other = Query if case.is_command else Command
    service = MemoryService(World(handled=[other]))
    async with client_of(service) as client:
        answer = await Api(client, service.log.head).call(case.call)
    assert code_of(answer) == (421, "misdirected-request")


@each_case(lambda _: True)
async def test_promises_are_kept_on_real_servers(served, log, case):
    """By a process with all roles."""
    api = Api(served, log.head)
    await api.make(case.example.given)
    for applies_to, promise in PROMISES:
        if applies_to(case):
            await promise(api, case)
