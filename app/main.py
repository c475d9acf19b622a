"""The ASGI application."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.types import Scope

from app import NAME, __version__
from app.adapters.identity import discovery_url
from app.bootstrap import CONTEXTS, build, development_token, policies_of
from app.console import Console
from app.framework.eventsourcing.signal import LogSignal
from app.framework.http.application import About, Access, create_api, mappings_of
from app.framework.http.buckets import Rate
from app.framework.http.operation_index import path_of
from app.framework.http.resources import HttpSide
from app.framework.http.routes.docs_token import MakeToken
from app.framework.http.service import Service
from app.framework.observability.access_log import AccessLog
from app.host import telemetry
from app.host.server.peers import is_of_own_account
from app.host.settings import Settings

ABOUT = About(
    title=NAME,
    version=__version__,
    summary="User profiles, with reads and writes apart.",
    description="""\
User profiles, written by commands and read by queries.

A write is recorded in PostgreSQL when it is answered; the views that reads are served from
follow at once, but not in the same instant. Every refusal is an `application/problem+json`
document with a `code` to tell it by. Every answer carries an `X-Request-Id`: the one the
request came with, if that was 1 to 128 visible ASCII characters, or a new one. What answers
GET answers HEAD as well, the stream of changes excepted.
""",
    contact=f"The engineers of {NAME}",
)


NO_AUTHENTICATION = Access(authenticator=None, policies=policies_of())
"""All requests are anyone's, who may do everything."""

_UNTRACED = ("/health/", "/metrics")
"""Prefixes of the paths of probes: most traces would be theirs."""


def create_app(
    settings: Settings | None = None, *, projects: bool = True, signal: LogSignal | None = None
) -> FastAPI:
    """The application for `settings`, or for what the environment says; nothing is connected yet.

    Without `projects` the projector of its roles is another process; see `build` for `signal`.

    Raises:
        InvalidSettings: the settings cannot be used, or traces need what is not installed.
        Misconfigured: something that is defined is not wired up.

    """
    settings = settings or Settings.load()
    process = build(settings, projects=projects, signal=signal)
    return application(
        process,
        access=Access(
            authenticator=process.authenticator,
            policies=policies_of(),
            docs_token=_docs_token_of(settings),
            rate=_rate(settings),
            discovery_urls=[discovery_url(each) for each in sorted(settings.auth_issuers)],
        ),
        hosts=settings.hosts,
        origins=settings.cors_origins,
        administered=settings.authenticates or settings.is_local,
        access_log=AccessLog() if settings.access_log else None,
        telemetry=_telemetry(),
    )


def _docs_token_of(settings: Settings) -> MakeToken | None:
    """In development the administrator's: the account of the service can read its key as well."""
    if not settings.has_own_issuer:
        return None

    def make(scope: Scope) -> str | None:
        client, server = scope["client"], scope["server"]
        is_ours = client and server and is_of_own_account(client, server)
        return development_token(settings) if is_ours else None

    return make


def _telemetry() -> TelemetryConfig | None:
    """What FastAPI traces, with the provider that the process has after a fork."""
    if not telemetry.is_configured():
        return None
    telemetry.check()
    return {
        "tracing": True,
        "metrics": False,
        "logs": False,
        "exclude": lambda scope: path_of(scope).startswith(_UNTRACED),
    }


def _rate(settings: Settings) -> Rate | None:
    if settings.rate_limit is None:
        return None
    return Rate(settings.rate_limit, settings.rate_limit_burst)


def application(
    service: Service, *, access: Access, administered: bool = False, **options: Any
) -> FastAPI:
    """The application around `service`, with the operations of every context.

    It has the console if it is `administered`. `options` are the further ones of `create_api`.
    """
    console = Console(
        service,
        access.policies,
        mappings_of(http_sides()),
        name=NAME,
        version=__version__,
        event_types=[event.event_type for each in CONTEXTS for event in each.events],
        make_token=access.docs_token,
    )
    return create_api(
        service,
        http_sides(),
        ABOUT,
        access=access,
        administered=administered,
        extensions=[console] if administered else [],
        **options,
    )


def http_sides() -> Sequence[HttpSide]:
    return [each.http() for each in CONTEXTS if each.http is not None]
