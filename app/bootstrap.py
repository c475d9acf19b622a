"""The composition root: the contexts, and the adapters behind the ports.

Add a bounded context here, by a line in CONTEXTS; its manifest has the rest.
"""

import contextlib
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from app import IDENTIFIER
from app.adapters.identity import (
    Issuer,
    KeysAndTokens,
    KeyVerifier,
    LocalIssuer,
    TokenRules,
    TokenVerifier,
    http_client,
)
from app.adapters.mongo import CachingReadModel, MongoKeys, MongoReadModel, MongoVerifications
from app.adapters.postgres import PostgresEventStore, PostgresKeys
from app.contexts.users.context import USERS_CONTEXT
from app.framework import administration
from app.framework.administration import Verifications
from app.framework.administration.policies import (
    ADMINISTRATION_POLICIES,
    CONSOLE_READ,
    METRICS_READ,
)
from app.framework.contexts import Context, ReadSide, upcasters_of, verify
from app.framework.eventsourcing import EventRegistry, EventStore
from app.framework.eventsourcing.signal import LogSignal
from app.framework.mediator import (
    Behaviour,
    Command,
    Deadline,
    DuplicateHandler,
    Measure,
    Mediator,
    Message,
    Query,
    Registration,
    Trace,
)
from app.framework.projections import FollowedStore, Projection, Projector, ProjectorOptions
from app.framework.security import Authenticator, Authorize, Policies
from app.framework.storage import StorageUnavailable
from app.host.process import Process
from app.host.settings import InvalidSettings, Role, Settings

CONTEXTS: Sequence[Context] = [
    USERS_CONTEXT,
]

ADMINISTRATOR = "administrator"
"""The subject of the token of development that allows everything."""

MESSAGE_SECONDS = 4.5
"""The deadline of a message: its sender gets an answer or an error within 5 s."""


def event_registry(contexts: Sequence[Context] = CONTEXTS) -> EventRegistry:
    events = [event for each in contexts for event in each.events]
    return EventRegistry(events, upcasters_of(contexts))


def all_projections(contexts: Sequence[Context] = CONTEXTS) -> Sequence[Projection]:
    return [projection for each in contexts for projection in each.projections]


def policies_of(contexts: Sequence[Context] = CONTEXTS) -> Policies:
    """Who may send what: the messages of the machinery, and those of `contexts`."""
    of_contexts = (pair for each in contexts for pair in each.policies.items())
    return {**ADMINISTRATION_POLICIES, **dict(of_contexts)}


def authenticator_of(settings: Settings) -> Authenticator | None:
    """What verifies tokens as `settings` say; None without authentication."""
    if not settings.authenticates:
        return None
    keys = KeyVerifier(_key_store(settings), _key_copy(settings))
    return keys if settings.auth == "keys" else KeysAndTokens(keys, _token_verifier(settings))


def _key_store(settings: Settings) -> PostgresKeys | None:
    if not settings.needs_postgres or settings.database_url is None:
        return None
    return PostgresKeys(settings.database_url)


def _key_copy(settings: Settings) -> MongoKeys | None:
    if not settings.needs_mongodb or settings.mongodb_url is None:
        return None
    return MongoKeys(settings.mongodb_url, settings.mongodb_database)


def _token_verifier(settings: Settings) -> TokenVerifier:
    if settings.has_own_issuer:
        # By default alice owns the profile alice: an issuer elsewhere may give subjects any form.
        claim = settings.auth_user_id_claim or "sub"
        own = TokenRules(audiences=[IDENTIFIER], user_id_claim=claim)
        return TokenVerifier([local_issuer(settings)], own)
    rules = TokenRules(
        audiences=sorted(settings.auth_audiences),
        types=frozenset(each.lower() for each in settings.auth_token_types),
        scope_claims=sorted(settings.auth_scope_claims),
        user_id_claim=settings.auth_user_id_claim,
    )
    client = http_client()
    return TokenVerifier([Issuer(each, client) for each in sorted(settings.auth_issuers)], rules)


def all_scopes(contexts: Sequence[Context] = CONTEXTS) -> frozenset[str]:
    """Every scope that a policy names, and those of routes that send no message."""
    named = (scope for each in policies_of(contexts).values() for scope in each.scopes)
    return frozenset({*named, CONSOLE_READ, METRICS_READ})


def development_token(
    settings: Settings, subject: str = ADMINISTRATOR, scopes: Iterable[str] | None = None
) -> str:
    """A token that the service of `settings` accepts; it allows everything unless `scopes` say.

    Raises:
        InvalidSettings: the service is not its own issuer.
        UnusableKey: its key cannot be read or made.

    """
    if settings.auth is not None:
        raise InvalidSettings(f"AUTH: {settings.auth}, so the service takes no token of its own")
    if settings.auth_issuers:
        issuers = ", ".join(sorted(settings.auth_issuers))
        raise InvalidSettings(f"AUTH_ISSUERS: set, so tokens are those of {issuers} alone")
    allowed = all_scopes() if scopes is None else scopes
    return local_issuer(settings).token(subject, allowed, IDENTIFIER)


def local_issuer(settings: Settings) -> LocalIssuer:
    """The issuer of development; its key is made when it is first needed."""
    return LocalIssuer(settings.data_dir / "issuer" / "key.pem")


def build(
    settings: Settings,
    contexts: Sequence[Context] = CONTEXTS,
    *,
    projects: bool = True,
    signal: LogSignal | None = None,
) -> Process:
    """The process that `settings` describe; nothing is connected before its `open`.

    Without `projects` the projector of its roles is another process, which `build_projector` makes.
    Appends trigger `signal`, and the projector waits for it.

    Raises:
        InvalidSettings: a role needs a database that no setting names.
        Misconfigured: something that is defined is not wired up.

    """
    registry, projections = event_registry(contexts), all_projections(contexts)
    mediator = Mediator()
    event_store = _event_store(settings, registry, signal) if settings.needs_postgres else None
    read_model = _read_model(settings) if settings.needs_mongodb else None
    kinds: list[type[Message[Any]]] = []
    if Role.COMMANDS in settings.roles and event_store is not None:
        register_commands(mediator, event_store, contexts)
        kinds.append(Command)
    if Role.QUERIES in settings.roles and read_model is not None:
        seconds = settings.consistency_timeout
        read_side = ReadSide(read_model, registry, seconds=seconds, log=event_store)
        register_queries(mediator, read_side, contexts)
        kinds.append(Query)
    verifications = register_administration(
        mediator, event_store, read_model, registry, contexts, _verification_records(settings)
    )
    projector = None
    is_projector = projects and Role.PROJECTOR in settings.roles
    if is_projector and event_store is not None and read_model is not None:
        options = ProjectorOptions(share=settings.rebuild_share)
        projector = Projector(event_store, read_model, projections, options=options)
    verify(contexts, kinds, mediator, registry)
    return Process(
        roles=frozenset(settings.roles),
        mediator=mediator,
        all_projections=projections,
        storages=[each for each in (event_store, read_model) if each is not None],
        log=event_store,
        read_model=read_model,
        projector=projector,
        receipts=event_store if Role.COMMANDS in settings.roles else None,
        verifications=verifications,
        authenticator=authenticator_of(settings),
    )


def build_projector(
    settings: Settings, contexts: Sequence[Context] = CONTEXTS, *, signal: LogSignal | None = None
) -> Process:
    """The process that projects, and answers no requests.

    Raises as `build`.
    """
    alone = {"roles": frozenset({Role.PROJECTOR}), "auth": "none"}
    return build(settings.model_copy(update=alone), contexts, signal=signal)


def register_commands(
    mediator: Mediator, event_store: EventStore, contexts: Sequence[Context] = CONTEXTS
) -> None:
    policies = policies_of(contexts)
    for context in contexts:
        for registration in context.commands(event_store):
            _register(mediator, registration, _behaviours("PostgreSQL", policies))


def register_queries(
    mediator: Mediator, read_side: ReadSide, contexts: Sequence[Context] = CONTEXTS
) -> None:
    policies = policies_of(contexts)
    for context in contexts:
        for registration in context.queries(read_side):
            _register(mediator, registration, _behaviours("MongoDB", policies))


def register_administration(
    mediator: Mediator,
    event_store: administration.LoggedStreams | None,
    builds: FollowedStore | None,
    registry: EventRegistry,
    contexts: Sequence[Context],
    records: administration.VerificationRecords | None,
) -> Verifications | None:
    """Register what operators send, as far as the databases of this process go."""
    projections = all_projections(contexts)
    aggregates = [aggregate for each in contexts for aggregate in each.aggregates]
    if builds is not None:
        for each in administration.of_projections(builds, projections, event_store):
            _register(mediator, each, _behaviours("MongoDB", ADMINISTRATION_POLICIES))
    if event_store is not None:
        for each in (
            *administration.of_the_log(event_store, registry),
            *administration.of_streams(event_store, registry, aggregates, builds, projections),
        ):
            _register(mediator, each, _behaviours("PostgreSQL", ADMINISTRATION_POLICIES))
    if builds is None or event_store is None or records is None:
        return None
    verifications = Verifications(builds, projections, event_store, records)
    for each in verifications.registrations:
        _register(mediator, each, _behaviours("MongoDB", ADMINISTRATION_POLICIES))
    return verifications


def _register(
    mediator: Mediator, registration: Registration, behaviours: Sequence[Behaviour]
) -> None:
    # A duplicate does not end the start-up here: `verify` lists it with the other mistakes.
    with contextlib.suppress(DuplicateHandler):
        mediator.register(registration, behaviours=behaviours)


def _behaviours(storage: str, policies: Policies) -> Sequence[Behaviour]:
    def late() -> Exception:
        return StorageUnavailable(storage, f"no answer within {MESSAGE_SECONDS} s")

    return (
        Measure(logging.getLogger("app.framework.mediator")),
        Trace(),
        Authorize(policies),
        Deadline(MESSAGE_SECONDS, late),
    )


def _event_store(
    settings: Settings, registry: EventRegistry, signal: LogSignal | None
) -> PostgresEventStore:
    if settings.database_url is None:
        raise InvalidSettings("DATABASE_URL: not set; commands and the projector need PostgreSQL")
    return PostgresEventStore(settings.database_url, registry, signal)


def _read_model(settings: Settings) -> MongoReadModel:
    if settings.mongodb_url is None:
        raise InvalidSettings("MONGODB_URL: not set; queries and the projector need MongoDB")
    url, database, driver = settings.mongodb_url, settings.mongodb_database, settings.mongodb_driver
    if Role.QUERIES in settings.roles and settings.read_cache_mib:
        return CachingReadModel(url, database, driver, settings.read_cache_mib * 1024 * 1024)
    return MongoReadModel(url, database, driver)


def _verification_records(settings: Settings) -> MongoVerifications | None:
    if not settings.needs_mongodb or settings.mongodb_url is None:
        return None
    url, database, driver = settings.mongodb_url, settings.mongodb_database, settings.mongodb_driver
    return MongoVerifications(url, database, driver)
