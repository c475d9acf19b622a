"""The API as the examples of contexts call it."""

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.contexts.declarations import Call

DOCUMENT = json.loads((Path(__file__).parents[2] / "openapi.json").read_bytes())
PLACES = {
    operation["operationId"]: (method, path)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}
"""The method and path of each operation that clients rely on."""


def operation_of(operation_id: str) -> dict[str, Any]:
    """What the document says of an operation."""
    method, path = PLACES[operation_id]
    operation: dict[str, Any] = DOCUMENT["paths"][path][method]
    return operation


class Api:
    """Makes the calls of examples."""

    def __init__(self, client: httpx.AsyncClient, head: Callable[[], Awaitable[int]]) -> None:
        """Make calls with `client` of a service, whose log has its last event at `head`.

        written: what the last command that `make` or `note` saw was answered.
        """
        self.head = head
        self.written: httpx.Response
        self._client = client
        self._id = "none"

    async def call(
        self, call: Call, headers: dict[str, str] | None = None, **parameters: Any
    ) -> httpx.Response:
        """The answer to a call, with further headers and parameters."""
        method, path = PLACES[call.operation]
        parameters = call.parameters | parameters
        named = re.findall(r"{(\w+)}", path)
        filled = path.format(**{each: parameters.pop(each, self._id) for each in named})
        return await self._client.request(
            method, filled, headers=headers, params=parameters, json=call.body
        )

    async def get(self, path: str, headers: dict[str, str]) -> httpx.Response:
        """The answer to GET."""
        return await self._client.get(path, headers=headers)

    async def make(self, calls: Sequence[Call]) -> None:
        """Make calls of commands that have to succeed."""
        for each in calls:
            answer = await self.call(each)
            assert answer.is_success, f"{each.operation}: {answer.text}"
            self.note(answer)

    def note(self, answer: httpx.Response) -> None:
        """Remember what a command was answered, for the calls that follow it."""
        for each in ("ETag", "Consistency-Token"):
            assert each in answer.headers, f"{answer.request.url} was answered without {each}"
        self.written = answer
        if answer.status_code == 201:
            self._id = answer.json()["id"]

    @property
    def token(self) -> dict[str, str]:
        """The header of a read that holds what was written last."""
        return {"Consistency-Token": self.written.headers["Consistency-Token"]}
