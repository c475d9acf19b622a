"""The composition root: which adapters stand behind which ports, which handler answers what.

A bounded context is added here: its package to CONTEXTS, its events to the registry, its
projections to PROJECTIONS, its handlers to the two functions that register them.
"""

import contextlib
import logging
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from app import users
from app.adapters.mongo import MongoReadModel
from app.adapters.postgres import PostgresEventStore
from app.eventsourcing import EventLog, EventRegistry, EventStore
from app.mediator import (
    Behaviour,
    Command,
    Deadline,
    DuplicateHandler,
    Log,
    Mediator,
    Message,
    Query,
    Registration,
)
from app.process import Process
from app.projecting import (
    ChangeFeed,
    ConsistentViews,
    PositionWatch,
    Projection,
    Projector,
    Views,
)
from app.settings import InvalidSettings, Role, Settings
from app.storage import StorageUnavailable
from app.users.commands.deactivate_user import DeactivateUser, DeactivateUserHandler
from app.users.commands.reactivate_user import ReactivateUser, ReactivateUserHandler
from app.users.commands.register_user import RegisterUser, RegisterUserHandler
from app.users.commands.update_user_profile import UpdateUserProfile, UpdateUserProfileHandler
from app.users.events import USER_EVENTS, USER_UPCASTERS
from app.users.projections import USER_HISTORY, USER_PROJECTIONS
from app.users.queries.follow_users import FollowUsers, FollowUsersHandler
from app.users.queries.get_past_user_profile import GetPastUserProfile, GetPastUserProfileHandler
from app.users.queries.get_user_history import GetUserHistory, GetUserHistoryHandler
from app.users.queries.get_user_profile import GetUserProfile, GetUserProfileHandler
from app.users.queries.list_user_summaries import ListUserSummaries, ListUserSummariesHandler
from app.users.users import Users
from app.verification import verify

CONTEXTS: Sequence[ModuleType] = (users,)

PROJECTIONS: Sequence[Projection] = (*USER_PROJECTIONS,)

MESSAGE_SECONDS = 4.5
"""How long a message may take: whoever sent it hears within 5 s, if only that it failed."""


def event_registry() -> EventRegistry:
    """The registry of every event of every context."""
    return EventRegistry((*USER_EVENTS,), {**USER_UPCASTERS})


def build(settings: Settings) -> Process:
    """The process that `settings` describe; nothing is connected before its `open`.

    Raises:
        InvalidSettings: a role needs a database that no setting names.
        Misconfigured: something that is defined is not wired up.

    """
    registry = event_registry()
    mediator = Mediator()
    event_store = _event_store(settings, registry) if settings.needs_postgres else None
    read_model = _read_model(settings) if settings.needs_mongodb else None
    kinds: list[type[Message[Any]]] = []
    if Role.COMMANDS in settings.roles and event_store is not None:
        register_commands(mediator, event_store)
        kinds.append(Command)
    if Role.QUERIES in settings.roles and read_model is not None:
        register_queries(
            mediator, read_model, registry, settings.consistency_timeout, log=event_store
        )
        kinds.append(Query)
    projector = None
    if Role.PROJECTOR in settings.roles and event_store is not None and read_model is not None:
        projector = Projector(event_store, read_model, PROJECTIONS)
    verify(CONTEXTS, kinds, mediator, registry, PROJECTIONS)
    return Process(
        roles=frozenset(settings.roles),
        mediator=mediator,
        all_projections=PROJECTIONS,
        storages=[each for each in (event_store, read_model) if each is not None],
        log=event_store,
        views=read_model,
        documents=read_model,
        projector=projector,
        receipts=event_store if Role.COMMANDS in settings.roles else None,
    )


def register_commands(mediator: Mediator, event_store: EventStore) -> None:
    """Register the handler of every command."""
    everyone = Users(event_store)
    for registration in (
        RegisterUser.handled_by(RegisterUserHandler(everyone)),
        UpdateUserProfile.handled_by(UpdateUserProfileHandler(everyone)),
        DeactivateUser.handled_by(DeactivateUserHandler(everyone)),
        ReactivateUser.handled_by(ReactivateUserHandler(everyone)),
    ):
        _register(mediator, registration, _behaviours("PostgreSQL"))


def register_queries(
    mediator: Mediator,
    source: Views,
    registry: EventRegistry,
    patience: float,
    *,
    log: EventLog | None = None,
) -> None:
    """Register the handler of every query; they wait for views for `patience` seconds at most.

    With `log` they refuse positions that it does not reach, instead of waiting for them.
    """
    watch = PositionWatch(source, head=log.head if log is not None else None)
    views = ConsistentViews(source, watch, seconds=patience)
    user_changes = ChangeFeed(
        source,
        watch,
        view=USER_HISTORY.name,
        views=[each.name for each in USER_PROJECTIONS],
        seconds=patience,
    )
    for registration in (
        GetUserProfile.handled_by(GetUserProfileHandler(views)),
        GetPastUserProfile.handled_by(GetPastUserProfileHandler(views, registry)),
        GetUserHistory.handled_by(GetUserHistoryHandler(views, registry)),
        ListUserSummaries.handled_by(ListUserSummariesHandler(views)),
        FollowUsers.handled_by(FollowUsersHandler(user_changes, registry)),
    ):
        _register(mediator, registration, _behaviours("MongoDB"))


def _register(
    mediator: Mediator, registration: Registration, behaviours: Sequence[Behaviour]
) -> None:
    # A duplicate does not end the start-up at once: `verify` lists it with all else amiss.
    with contextlib.suppress(DuplicateHandler):
        mediator.register(registration, behaviours=behaviours)


def _behaviours(storage: str) -> Sequence[Behaviour]:
    def late() -> Exception:
        return StorageUnavailable(storage, f"no answer within {MESSAGE_SECONDS} s")

    return (Log(logging.getLogger("app.mediator")), Deadline(MESSAGE_SECONDS, late))


def _event_store(settings: Settings, registry: EventRegistry) -> PostgresEventStore:
    if settings.database_url is None:
        raise InvalidSettings("DATABASE_URL: not set; commands and the projector need PostgreSQL")
    return PostgresEventStore(settings.database_url, registry)


def _read_model(settings: Settings) -> MongoReadModel:
    if settings.mongodb_url is None:
        raise InvalidSettings("MONGODB_URL: not set; queries and the projector need MongoDB")
    url, database, driver = settings.mongodb_url, settings.mongodb_database, settings.mongodb_driver
    return MongoReadModel(url, database, driver)
