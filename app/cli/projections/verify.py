"""`projections verify`: compares the read model with a fold of the log, and repairs it."""

import asyncio
import contextlib
import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer
from rich.text import Text

from app import bootstrap
from app.cli.auditing import audited
from app.cli.databases import shared_databases
from app.cli.output import AsJson, Cell, print_json, print_table
from app.cli.progress import progress
from app.framework.eventsourcing import EventSourcingError
from app.framework.observability import logs
from app.framework.projections import (
    Audit,
    BuildRecord,
    CannotApply,
    CannotVerify,
    ProjectionRecord,
    build_to_verify,
    fold_of,
)
from app.host.process import Process
from app.host.settings import Role, Settings

_HEADINGS = (
    *(
        "NAME",
        "BUILD",
        "VERSION",
        "POSITION",
        "HEAD",
        "DOCUMENTS",
        "DIFFERING",
        "REPAIRED",
        "PARKED",
    ),
    "RESULT",
)


_ALL = 100.0


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found of a projection: an audit, or the reason why there is none."""

    name: str
    build: BuildRecord | None = None
    audit: Audit | None = None
    reason: str = ""

    @property
    def is_sound(self) -> bool:
        return self.audit is not None and self.audit.is_sound


def run(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="By default all projections.")
    ] = None,
    *,
    build: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", help="Of the one projection named, instead of what serves."),
    ] = None,
    sample: Annotated[
        float,
        typer.Option(
            metavar="PERCENT", min=0.01, max=100, help="Compare so many of the documents."
        ),
    ] = _ALL,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Replace documents that differ by what the log leads to."),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Compare the stored documents of projections with a fold of the log.

    The service may run meanwhile. Without --repair nothing is changed. Positions and versions of
    the log must have no gap either. A parked document is compared with a fold up to where it is
    parked. In memory are 200,000 documents at once: if there are more, the log is read several
    times. A sample has other documents each time.

    The exit status is 0 if nothing differs, or all that differed is repaired; 1 if something
    differs, or a projection cannot be verified.
    """
    if build is not None and len(names or ()) != 1:
        raise typer.BadParameter("--build takes the NAME of one projection")
    settings = Settings.load()
    # It reads both databases; a projector would begin builds.
    settings = settings.model_copy(update={"roles": frozenset({Role.COMMANDS, Role.QUERIES})})
    logs.configure(settings.log_level, settings.log_format, settings.audit_log)
    with shared_databases(settings, migrating=False) as ready:
        process = bootstrap.build(ready)
        found = asyncio.run(_verify(process, names or (), build, sample=sample, repairs=repair))
    if as_json:
        print_json({"items": [document(each) for each in found]})
    else:
        print_table(_HEADINGS, [row(each) for each in found])
        sys.stdout.writelines(f"{each}\n" for one in found for each in lines(one))
    return 0 if all(each.is_sound for each in found) else 1


async def _verify(
    process: Process,
    names: Sequence[str],
    number: int | None,
    **how: Any,
) -> Sequence[Verified]:
    """What is found of the projections named, or of all; `how` is as for `Audit`."""
    try:
        await process.check()
        assert process.read_model
        records = {each.name: each for each in await process.read_model.projections()}
        known = sorted(records.keys() | {each.name for each in process.all_projections})
        if unknown := [each for each in names if each not in known]:
            raise typer.BadParameter(
                f"there is no projection {', '.join(unknown)}, only {', '.join(known)}"
            )
        chosen = [records.get(each, ProjectionRecord(each)) for each in names or known]
        return [await _verify_one(process, each, number, **how) for each in chosen]
    finally:
        await process.close()


async def _verify_one(
    process: Process,
    record: ProjectionRecord,
    number: int | None,
    *,
    repairs: bool,
    sample: float,
) -> Verified:
    assert process.log
    assert process.read_model
    build: BuildRecord | None = None
    try:
        build = build_to_verify(record, number)
        projection = fold_of(build, process.all_projections)
        audit = Audit(
            process.log, process.read_model, projection, build.id, sample=sample, repairs=repairs
        )
        with _audited(record.name, repairs=repairs), progress(record.name, None) as bar:
            await audit.run(lambda: bar.at(audit.done, audit.total))
    except (CannotVerify, CannotApply, EventSourcingError) as error:
        return Verified(record.name, build, reason=str(error))
    return Verified(record.name, build, audit)


def _audited(name: str, *, repairs: bool) -> contextlib.AbstractContextManager[None]:
    if not repairs:
        return contextlib.nullcontext()
    return audited("projections", "begin_verification", {"name": name})


def row(verified: Verified) -> tuple[Cell, ...]:
    """A row of the table."""
    build, audit = verified.build, verified.audit
    of_build = (build.number, build.version) if build else (None, None)
    if audit is None:
        result = Text(f"not verified: {verified.reason}", style="red")
        return (verified.name, *of_build, *[None] * 6, result)
    numbers = (audit.position, audit.head, audit.documents, audit.differing, audit.repaired)
    return (verified.name, *of_build, *numbers, len(audit.parked), _result(audit))


def _result(audit: Audit) -> Text:
    sampled = "" if audit.sample == _ALL else f" in a sample of {audit.sample:g} %"
    if not audit.differing:
        return Text(f"nothing differs{sampled}", style="green")
    if audit.is_sound:
        return Text(f"repaired{sampled}", style="yellow")
    return Text(f"differs{sampled}", style="red")


def lines(verified: Verified) -> Collection[str]:
    """What differs, and what is parked."""
    audit = verified.audit
    if audit is None:
        return []
    found = [f"{verified.name}: {each}" for each in audit.differences]
    if audit.differing > len(found):
        found.append(f"{verified.name}: and {audit.differing - len(found)} more")
    parked = [
        f"{verified.name}: {each.key}: is parked at position {each.position}"
        for each in audit.parked
    ]
    return found + parked


def document(verified: Verified) -> dict[str, Any]:
    """The members of a projection in the JSON document."""
    build, audit = verified.build, verified.audit
    found = {
        "name": verified.name,
        "build": build and build.number,
        "version": build and build.version,
        "is_verified": audit is not None,
        "reason": verified.reason or None,
    }
    if audit is None:
        return found
    return found | {
        "position": audit.position,
        "head": audit.head,
        "sample": audit.sample,
        "events": audit.events,
        "documents": audit.documents,
        "differing": audit.differing,
        "repaired": audit.repaired,
        "differences": [asdict(each) for each in audit.differences],
        "parked": [{"key": each.key, "position": each.position} for each in audit.parked],
    }
