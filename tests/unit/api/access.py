"""Who may do what, as the policies say, and requests made of the OpenAPI document."""

import json
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from app.bootstrap import policies_of
from app.framework.principal import Principal, PrincipalKind
from app.framework.request import RequestContext
from app.framework.security import InvalidToken, Policy

DOCUMENT = json.loads((Path(__file__).parents[3] / "openapi.json").read_bytes())
OPERATIONS: Mapping[str, Mapping[str, Any]] = {
    operation["operationId"]: operation
    for item in DOCUMENT["paths"].values()
    for operation in item.values()
}
POLICIES = policies_of()
ALL_SCOPES = frozenset(scope for each in POLICIES.values() for scope in each.scopes)


@dataclass(frozen=True)
class Request:
    """An operation of the document, and a request for it by its examples.

    scopes: those of which it takes one, as the document says; none if it is public.
    """

    name: str
    method: str
    path: str
    scopes: Sequence[str]
    body: Any

    @property
    def has_head(self) -> bool:
        """Whether it answers HEAD: a stream does not."""
        return self.method == "get" and not self.is_stream

    @property
    def is_stream(self) -> bool:
        """Whether its answer has no end."""
        answered = OPERATIONS[self.name]["responses"].get("200", {})
        return "text/event-stream" in answered.get("content", {})


def _requests() -> Iterator[Request]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            filled = _filled(path, operation)
            scopes = [each["bearer"][0] for each in operation["security"]]
            yield Request(operation["operationId"], method, filled, scopes, _body(operation))


def _filled(path: str, operation: Mapping[str, Any]) -> str:
    required = [each for each in operation.get("parameters", ()) if each["required"]]
    of_path, of_query = (
        {each["name"]: _example(each["schema"]) for each in required if each["in"] == place}
        for place in ("path", "query")
    )
    return path.format_map(of_path) + (f"?{urlencode(of_query)}" if of_query else "")


def _body(operation: Mapping[str, Any]) -> Any:
    if "requestBody" not in operation:
        return None
    return _example(operation["requestBody"]["content"]["application/json"]["schema"])


def _example(schema: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "examples" in schema:
        return schema["examples"][0]
    if "items" in schema:
        return [_example(schema["items"])]
    return {name: _example(each) for name, each in schema["properties"].items()}


REQUESTS = {each.name: each for each in _requests()}


class Known:
    """Implements Authenticator: it knows the tokens that it has made."""

    trouble: str | None = None

    def __init__(self) -> None:
        self._principals: dict[str, Principal] = {}

    def token(self, principal: Principal) -> str:
        """A token of `principal`."""
        token = f"token-{len(self._principals)}"
        self._principals[token] = principal
        return token

    async def authenticate(self, token: str) -> Principal:
        """The principal of a token that was made here."""
        if token not in self._principals:
            raise InvalidToken("It is not a JWT.")
        return self._principals[token]

    async def open(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""


class Noting:
    """Notes what is sent through a mediator."""

    def __init__(self, mediator: Any) -> None:
        self._mediator = mediator
        self.sent: list[Any] = []

    def send(self, message: Any, context: RequestContext) -> Awaitable[Any]:
        """Note the message, and send it on."""
        self.sent.append(message)
        return self._mediator.send(message, context)


def lacking(policy: Policy, message: Any, principal: Principal) -> Sequence[str]:
    """The scopes of which one is missing to `principal`, by `policy`; none if it may send that."""
    is_own = policy.owner is not None and policy.owner(message) == principal.user_id is not None
    scopes = policy.scopes if is_own else [policy.scope]
    return [] if any(each in principal.scopes for each in scopes) else scopes


def principals(policy: Policy, owner: str | None) -> Iterator[Principal]:
    """Every kind of principal, with each set of scopes that matters to `policy`."""
    held = (ALL_SCOPES, ALL_SCOPES - set(policy.scopes), *({each} for each in policy.scopes), ())
    for scopes in map(frozenset, held):
        yield Principal(kind=PrincipalKind.CLIENT, subject="program", scopes=scopes)
        yield Principal(kind=PrincipalKind.KEY, subject="key", scopes=scopes)
        for user in {"other", owner or "other"}:
            yield Principal(kind=PrincipalKind.USER, subject=user, scopes=scopes, user_id=user)
