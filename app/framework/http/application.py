"""The ASGI application: routes, problems and middleware around a service."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from app.framework.http.access import undeclared
from app.framework.http.buckets import Rate
from app.framework.http.costs import Costs
from app.framework.http.examples import GENERIC
from app.framework.http.extensions import Extension
from app.framework.http.heads import head_routes
from app.framework.http.indexed_routes import IndexedRoutes
from app.framework.http.lifespan import lifespan_of
from app.framework.http.middleware import (
    AccessLines,
    Admission,
    Auditing,
    Authentication,
    BodyLimit,
    CrossOrigin,
    Edge,
    Places,
    RateLimiting,
    RequestGuard,
)
from app.framework.http.openapi import complete
from app.framework.http.operation_index import OperationIndex
from app.framework.http.operations import Operation
from app.framework.http.problems import ERROR_MAPPINGS, problem_types
from app.framework.http.problems.kinds import ErrorMappings, ProblemType
from app.framework.http.rate_limits import RateLimits
from app.framework.http.refusal_lines import RefusalLines
from app.framework.http.refusals import answer_refusals
from app.framework.http.resources import HttpSide
from app.framework.http.routes import administration, administrative, log
from app.framework.http.routes.docs import add_docs
from app.framework.http.routes.docs_token import MakeToken
from app.framework.http.routes.health import add_health
from app.framework.http.routes.metrics import add_metrics
from app.framework.http.routes.parked_documents import add_parked_documents
from app.framework.http.routes.problems import add_problems
from app.framework.http.routes.projections import add_projections
from app.framework.http.routes.verifications import add_verifications
from app.framework.http.service import Service
from app.framework.misconfigured import Misconfigured
from app.framework.observability.access_log import AccessLog
from app.framework.security import Authenticator, Policies

BODY_LIMIT = 64 * 1024
HEADER_LIMIT = 32 * 1024
REQUESTS = 160
"""How many requests may be under way; more are refused, see docs/adr/0023-admission.md."""

_TAGS = (
    administrative.TAG,
    {"name": "projections", "description": "How far the views are behind the log."},
    {"name": "problems", "description": "What the kinds of problems mean."},
    {"name": "health", "description": "For operators: whether the process can do its work."},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the OpenAPI document says of the service as a whole."""

    title: str
    version: str
    summary: str
    description: str
    contact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may do what, and how much of it.

    authenticator: verifies the tokens of requests; None where the service runs without
        authentication, and all requests are anyone's.
    policies: who may send which message.
    docs_token: makes the token that Swagger UI gets; None where people paste one.
    rate: how much each client may use; None without limits.
    discovery_urls: where clients find the issuers of tokens (OpenID Connect Discovery), for the
        OpenAPI document.
    """

    authenticator: Authenticator | None
    policies: Policies
    docs_token: MakeToken | None = None
    rate: Rate | None = None
    discovery_urls: Sequence[str] = ()


def mappings_of(contexts: Sequence[HttpSide]) -> ErrorMappings:
    """The error mappings of the machinery and of `contexts`."""
    of_contexts = (pair for each in contexts for pair in each.problems.items())
    return {**ERROR_MAPPINGS, **dict(of_contexts)}


_SERVER = {
    "url": "/",
    "description": "This service, in production or on a local machine",
    "x-internal": False,
}

_NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""Else FastAPI looks for providers at each request."""


class _Api(FastAPI):
    streamed: Sequence[type[BaseModel]] = ()
    """The schemas of the data of events, which no route declares as its answer."""

    examples = GENERIC
    """Those in the schemas that all contexts share."""

    discovery_urls: Sequence[str] = ()
    """Those of the issuers of tokens."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = complete(
                super().openapi(), self.streamed, self.examples, self.discovery_urls
            )
        return self.openapi_schema


def create_api(  # noqa: PLR0913 - each by its name
    service: Service,
    contexts: Sequence[HttpSide],
    about: About,
    *,
    access: Access,
    hosts: frozenset[str] | None = None,
    origins: frozenset[str] = frozenset(),
    administered: bool = False,
    extensions: Sequence[Extension] = (),
    access_log: AccessLog | None = None,
    telemetry: TelemetryConfig | None = None,
    **options: Any,
) -> FastAPI:
    """The application around `service`; it opens and closes the service.

    Args:
        service: the process behind it.
        contexts: the contexts with the operations to serve.
        about: the description for the OpenAPI document.
        access: how clients are authenticated, and what they may do.
        hosts: the allowed hosts; None allows any.
        origins: the origins whose pages may call.
        administered: whether it has the routes for operators.
        extensions: what is served beside the API; its routes come last.
        access_log: has a line for each request; None for none.
        telemetry: what FastAPI makes spans, metrics and log records of; of nothing if it is None.
        options: further ones of FastAPI, such as `dependencies`.

    Raises:
        Misconfigured: an operation declares an error that has no problem, or does not say who may
            use it; two operations have one name or place, or two kinds of problems one code.

    """
    places, index, refusals = Places(REQUESTS), OperationIndex(), RefusalLines()
    declared = [op for side in contexts for each in side.resources for op in each.operations]
    api = _Api(
        **_description_of(about),
        openapi_tags=[*(dict(tag) for each in contexts for tag in each.tags), *_TAGS],
        openapi_url=None,  # served by add_docs
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        middleware=[_edge(access, index, declared, places, refusals, access_log, hosts, origins)],
        lifespan=lifespan_of(service, refusals, access_log, extensions),
        telemetry=_NO_TELEMETRY if telemetry is None else telemetry,
        **options,
    )
    # For the server, which sets the events and refuses requests when all places are taken.
    api.state.draining = service.draining
    api.state.stopping = service.stopping
    api.state.places = places
    api.discovery_urls = access.discovery_urls
    _add_routes(api, service, contexts, access, extensions, administered=administered)
    index.add(api.router.routes)
    api.router.routes.insert(0, IndexedRoutes())
    return api


def _description_of(about: About) -> dict[str, Any]:
    return {
        "title": about.title,
        "version": about.version,
        "summary": about.summary,
        "description": about.description,
        "license_info": {"name": "MIT", "identifier": "MIT"},
        "contact": {"name": about.contact},
        "servers": [_SERVER],
    }


def _add_routes(
    api: _Api,
    service: Service,
    contexts: Sequence[HttpSide],
    access: Access,
    extensions: Sequence[Extension],
    *,
    administered: bool,
) -> None:
    mappings = mappings_of(contexts)
    answer_refusals(api, service.roles, mappings)
    resources = [resource for each in contexts for resource in each.resources]
    for each in resources:
        # Not by `include_router`: requests would be matched with the routes of a router twice.
        each.add_to(api.router, service.mediator, access.policies, mappings, service.stopping)
    api.streamed = [op.answer for each in resources for op in each.operations if op.is_stream]
    api.examples = next((each.examples for each in contexts if each.examples), GENERIC)
    if administered:
        administration.add_administration(api.router, service.mediator)
        add_parked_documents(api.router, service.mediator)
        add_verifications(api.router, service.mediator)
        log.add_log(api.router, service.mediator)
    add_projections(api.router, service)
    add_health(api.router, service)
    add_metrics(api.router, service)
    add_problems(api.router, problem_types(mappings))
    add_docs(api, access.docs_token)
    for extension in extensions:
        extension.add_to(api.router)
    _refuse_undeclared(api.router.routes)
    _refuse_repeats(api.router.routes, problem_types(mappings))
    api.router.routes += head_routes(api.router.routes)


def _refuse_undeclared(routes: Sequence[BaseRoute]) -> None:
    found = undeclared(routes)
    if found:
        raise Misconfigured(
            [f"The operation {each} does not say who may use it; see `access`." for each in found]
        )


def _refuse_repeats(routes: Sequence[BaseRoute], kinds: Sequence[ProblemType]) -> None:
    operations = [each for each in routes if isinstance(each, APIRoute)]
    names = Counter(each.name for each in operations)
    places = Counter(f"{method} {it.path}" for it in operations for method in it.methods or ())
    codes = Counter(each.code for each in kinds)
    repeated = [
        *(f"Two operations are named {each}." for each in names if names[each] > 1),
        *(f"Two operations answer {each}." for each in places if places[each] > 1),
        *(f"Two kinds of problems have the code {each}." for each in codes if codes[each] > 1),
    ]
    if repeated:
        raise Misconfigured(repeated)


def _edge(
    access: Access,
    index: OperationIndex,
    declared: Sequence[Operation],
    places: Places,
    refusals: RefusalLines,
    access_log: AccessLog | None,
    hosts: frozenset[str] | None,
    origins: frozenset[str],
) -> Middleware:
    limits = RateLimits(access.rate) if access.rate else None
    return Middleware(
        Edge,
        auditing=Auditing(index, refusals),
        access_lines=AccessLines(access_log) if access_log else None,
        cross_origin=CrossOrigin(origins) if origins else None,
        guard=RequestGuard(HEADER_LIMIT, hosts, origins),
        authentication=Authentication(access.authenticator, limits),
        rate_limiting=RateLimiting(limits, Costs(declared)) if limits else None,
        body_limit=BodyLimit(BODY_LIMIT),
        admission=Admission(places),
    )
