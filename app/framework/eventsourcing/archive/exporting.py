"""Export: the log into a file, which may hold a part of it already."""

from app.framework.eventsourcing.archive.log_file import AT_ONCE, Target
from app.framework.eventsourcing.archive.log_format import Header, is_same
from app.framework.eventsourcing.archive.progress import Progress
from app.framework.eventsourcing.archive.stored_log import CannotExport, StoredLog


async def export_log(log: StoredLog, target: Target, progress: Progress) -> Header:
    """Write the events of `log`, up to its present head, after those that `target` holds.

    Raises:
        CannotExport: `target` holds another log, or another future of this one.
        StorageUnavailable: the log cannot be reached; a later call goes on.

    """
    header = Header(await log.identity(), await log.head())
    await _check(log, target, header)
    target.begin(header)
    position = target.last.position if target.last else 0
    with progress("Exporting events", header.position, done=position) as bar:
        while position < header.position:
            limit = min(AT_ONCE, header.position - position)
            events = await log.read_stored(after=position, limit=limit)
            target.write(events)
            position = events[-1].position
            bar.at(position)
    target.finish()
    return header


async def _check(log: StoredLog, target: Target, header: Header) -> None:
    if target.header and target.header.identity != header.identity:
        raise CannotExport(
            f"The file is of log {target.header.identity}, but DATABASE_URL points to log "
            f"{header.identity}. Name another file."
        )
    if (last := target.last) is None:
        return
    stored = await log.read_stored(after=last.position - 1, limit=1)
    if last.position > header.position or not is_same(stored[0], last):
        raise CannotExport(
            f"The file's event at position {last.position} is not in the log, which was restored "
            "to an earlier point, or is another copy. Name another file."
        )
