"""Writes the audit log: writes, refusals of who may do what, and reads of all personal data."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi.routing import APIRoute
from starlette.types import Message, Scope

from app.framework.http.addresses import client_address
from app.framework.http.answers import is_audited, problem_of, refused_client_of
from app.framework.http.middleware.head import Head
from app.framework.http.operation_index import OperationIndex, ids_in, operation_of, own_path
from app.framework.http.principals import found_principal
from app.framework.http.refusal_lines import RefusalLines
from app.framework.http.request_id import internal_id_of, request_id_of
from app.framework.observability.audit import AuditOutcome, audit

_READS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_REFUSALS = frozenset({401, 403, 429})
_CREATED = frozenset({HTTPStatus.CREATED, HTTPStatus.ACCEPTED})


class Auditing:
    """Writes the line of a request before its answer is sent.

    Reads that are allowed have none, unless their policy says so. Refusals of a client that goes on
    after its rate limit refused it are counted, and have a line together.
    """

    def __init__(self, operations: OperationIndex, refusals: RefusalLines) -> None:
        self.operations = operations
        self._refusals = refusals

    def wants(self, scope: Scope, status: int) -> bool:
        """Whether an answer with this status has a line."""
        return scope["method"] not in _READS or status in _REFUSALS or is_audited(scope)

    def write(self, head: Head, answer: Message) -> None:
        """Write the line of the request whose answer starts with this message."""
        scope = head.scope
        principal, address = found_principal(scope), client_address(scope)
        client = refused_client_of(scope)
        if client is not None and self._refusals.counts(client, principal, address):
            return
        route = operation_of(scope)
        status: int = answer["status"]
        request_id, internal_id = request_id_of(scope), internal_id_of(scope)
        audit(
            route.name if route else None,
            _outcome(status),
            principal=principal,
            address=address,
            # The path may hold anything, and without a principal it may be anyone's.
            resource=self._ids(route, head, answer) if principal else None,
            request_id=request_id,
            internal_request_id=None if internal_id == request_id else internal_id,
            status=status,
            problem=problem_of(scope),
        )

    def _ids(self, route: APIRoute | None, head: Head, answer: Message) -> Mapping[str, str]:
        if created := self._created(head.scope, answer):
            return created
        return ids_in(route, head.path) if route else {}

    def _created(self, scope: Scope, answer: Message) -> Mapping[str, str]:
        """The ids of what is new, of which the path of the request knows nothing."""
        if answer["status"] not in _CREATED:
            return {}
        for name, value in answer.get("headers", ()):
            if name == b"location":
                path = own_path(scope, value.decode("latin-1"))
                route = self.operations.at("GET", path)
                return ids_in(route, path) if route else {}
        return {}


def _outcome(status: int) -> AuditOutcome:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return AuditOutcome.FAILED
    return AuditOutcome.REFUSED if status >= HTTPStatus.BAD_REQUEST else AuditOutcome.DONE
