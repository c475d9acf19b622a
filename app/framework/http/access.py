"""Who may use an operation, declared once: the document says it, and the behaviour follows.

A route that sends a message has the policy of that message (`sends`), which `Authorize` enforces.
One that sends none names a scope (`takes`), and is refused without it here. What is public takes no
token. `undeclared` finds routes that are neither, for start-up to refuse.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from app.framework.http.answers import set_audited
from app.framework.http.principals import require
from app.framework.security import Policy

BEARER = "bearer"
"""The name of the security scheme in the document."""

_SECURITY = "security"
_PUBLIC = re.compile(
    r"/(health/(live|ready)|problems(/[^/]*)?|openapi\.json|docs(/.*)?|console(/.*)?)"
)


def is_public(path: str) -> bool:
    """Whether a path takes no token: what probes, people and generators of clients read.

    The console is among them, as it has a page to sign in; each of its pages looks for itself.
    """
    return _PUBLIC.fullmatch(path) is not None


def sends(policy: Policy) -> dict[str, Any]:
    """The options of a route that sends a message with this policy."""
    noted = {"dependencies": [Depends(_note_audited)]} if policy.is_audited else {}
    return {**_documented(policy.scopes), **noted}


def takes(scope: str) -> dict[str, Any]:
    """The options of a route that sends no message: it is for principals with `scope`."""

    async def check(request: Request) -> None:
        require(request.scope, scope)

    return {**_documented([scope]), "dependencies": [Depends(check)]}


async def _note_audited(request: Request) -> None:
    set_audited(request.scope)


def _documented(scopes: Sequence[str]) -> dict[str, Any]:
    # Each is an alternative; that for what the principal owns comes first.
    return {"openapi_extra": {_SECURITY: [{BEARER: [each]} for each in scopes]}}


def scopes_of(operation: Mapping[str, Any]) -> Sequence[str]:
    """The scopes of an operation of the document, each of which is enough; none if it is public.

    Of two the first is for what the principal owns.
    """
    return [scope for each in operation[_SECURITY] for scope in each.get(BEARER, ())]


def undeclared(routes: Iterable[BaseRoute]) -> Sequence[str]:
    """The names of the operations that do not say who may use them."""
    return [
        each.name
        for each in routes
        if isinstance(each, APIRoute)
        and not is_public(each.path)
        and not (each.openapi_extra or {}).get(_SECURITY)
    ]
