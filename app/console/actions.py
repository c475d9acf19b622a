"""What operators do with projections: each action asks once, and its page shows the outcome."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from app.console import session
from app.console.pages import Handler, Pages
from app.framework.administration import (
    AdministrationError,
    BeginBuild,
    BeginVerification,
    GetProjection,
    PauseProjection,
    ReplayDocument,
    ReplayDocuments,
    ResumeProjection,
    RetireBuild,
    ServeBuild,
)
from app.framework.http.sessions import PREFIX
from app.framework.mediator import Command
from app.framework.projections import TakeOver
from app.framework.request import IdempotencyKey, Outcome

_PROJECTION = f"{PREFIX}/projections/{{name}}"
_BUILD = f"{_PROJECTION}/builds/{{number}}"

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Action:
    """Something to be done with a projection.

    question: what is asked, with the name of the projection and the number of the build in it.
    words: what happens then.
    button: the answer that has it done.
    make: the command, from the name, the number of the build, and the fields of the form.
    done: what is said afterwards.
    needs_number: whether it is about a build.
    options: the part of the template with further fields; None without.
    """

    name: str
    question: str
    words: str
    button: str
    make: Callable[[str, int, Fields], Command[Any]]
    done: str
    needs_number: bool = False
    options: str | None = None

    @property
    def path(self) -> str:
        return f"{_BUILD if self.needs_number else _PROJECTION}/{self.name}"


def _replay(name: str, _: int, fields: Fields) -> Command[Any]:
    key = fields.get("key")
    return ReplayDocument(name, key) if key else ReplayDocuments(name)


def _rebuild(name: str, _: int, fields: Fields) -> Command[Any]:
    asks = fields.get("take_over") == TakeOver.ON_REQUEST
    return BeginBuild(name, TakeOver.ON_REQUEST if asks else TakeOver.WHEN_EQUAL)


def _verify(name: str, _: int, fields: Fields) -> Command[Any]:
    sample = 5.0 if fields.get("sample") == "5" else 100.0
    return BeginVerification(name, sample=sample, repair="repair" in fields)


ACTIONS = (
    Action(
        "pause",
        "Pause {name}?",
        "All work on it stops, over restarts too, until you resume it. Queries go on to read what "
        "there is; a read that asks for a later write is refused.",
        "Pause it",
        lambda name, _, __: PauseProjection(name),
        "It is paused.",
    ),
    Action(
        "resume",
        "Resume {name}?",
        "The work goes on from where it stopped.",
        "Resume it",
        lambda name, _, __: ResumeProjection(name),
        "It is resumed: a process goes on with it within seconds.",
    ),
    Action(
        "rebuild",
        "Rebuild {name}?",
        "A new build is made of the whole log, beside the one that serves, and compared with it. "
        "Reads notice nothing; writes may be slower meanwhile.",
        "Rebuild it",
        _rebuild,
        "The rebuild has begun. It is among the builds below.",
        options="rebuild",
    ),
    Action(
        "verify",
        "Compare {name} with the log?",
        "The log is folded again, and every document of the build that serves is compared with the "
        "result. Nothing is changed unless you have it repaired.",
        "Compare it",
        _verify,
        "The comparison has begun.",
        options="verify",
    ),
    Action(
        "replay",
        "Replay what is parked in {name}?",
        "The events that wait are applied, from the one that was refused. Deploy code that can "
        "apply it first: otherwise the document is parked again. It may be repeated.",
        "Replay",
        _replay,
        "The replay is asked for. A document that is level again leaves the list below; one that "
        "is refused again stays, with the time of now.",
        options="replay",
    ),
    Action(
        "serve",
        "Let build {number} of {name} serve?",
        "Queries read it from now on. The build that serves now is kept and followed, so that "
        "you can go back without a loss.",
        "Let it serve",
        lambda name, number, _: ServeBuild(name, number),
        "The build serves.",
        needs_number=True,
    ),
    Action(
        "retire",
        "Retire build {number} of {name}?",
        "It is given up for good: its documents are deleted after 10 seconds, and you cannot go "
        "back to it. Its work and its room are saved.",
        "Retire it",
        lambda name, number, _: RetireBuild(name, number),
        "The build is retired.",
        needs_number=True,
    ),
)

DONE = {each.name: each.done for each in ACTIONS}


def add_actions(router: APIRouter, pages: Pages) -> None:
    for action in ACTIONS:
        for method, handler in (("GET", _asking(action, pages)), ("POST", _doing(action, pages))):
            router.add_api_route(
                action.path,
                pages.guarded(handler),
                methods=[method],
                name=f"console_{action.name}{'' if method == 'POST' else '_page'}",
                include_in_schema=False,
            )


def _asking(action: Action, pages: Pages) -> Handler:
    async def ask(request: Request, name: str, number: int = 0) -> Response:
        await pages.send(request, GetProjection(name))
        question = action.question.format(name=name, number=number)
        return pages.page(
            request,
            "action",
            action=action,
            question=question,
            name=name,
            key=request.query_params.get("key", ""),
            once=secrets.token_urlsafe(16),
            may_act=pages.may(request, type(action.make(name, number, {}))),
        )

    return ask


def _doing(action: Action, pages: Pages) -> Handler:
    async def do(request: Request, name: str, number: int = 0) -> Response:
        fields = await session.sent_form(request)
        where = f"{session.base_of(request)}/projections/{quote(name, safe='')}"
        # A form that is sent twice is carried out once.
        once = IdempotencyKey(fields.get("once", ""), f"{action.path} {name} {number}")
        command = action.make(name, number, fields)
        try:
            outcome: Outcome[Any] = await pages.send(request, command, once if once.value else None)
        except AdministrationError as error:
            refusal = pages.refusal(request, error, back=where)
            if refusal is None:
                raise
            return refusal
        if isinstance(command, BeginVerification):
            return session.see(f"{where}/verifications/{outcome.value.id}")
        return session.see(f"{where}?done={action.name}")

    return do
