"""Purges receipts by marks, see docs/adr/0029-clocks-may-be-wrong.md."""

from datetime import timedelta

from app.adapters.postgres import statements
from app.adapters.postgres.connection import Connection
from app.framework.eventsourcing import CLOCK_TOLERANCE, Purged

PURGED_AT_ONCE = 5000


async def purge(connection: Connection, *, marks: int, interval: timedelta) -> Purged:
    rebased = await connection.fetch(statements.REBASE_MARKS, CLOCK_TOLERANCE)
    went_back = rebased[0]["ahead"] if rebased else timedelta(0)
    await connection.fetch(statements.ADD_MARK, interval)
    found = await connection.fetch(statements.MARK, marks)
    if not found:
        return Purged(0, went_back)
    [(number, last_receipt, recorded_at)] = found
    purged = await _purge_up_to(connection, last_receipt, recorded_at)
    await connection.fetch(statements.FORGET_MARKS, number)
    return Purged(purged, went_back)


async def _purge_up_to(connection: Connection, last_receipt: int, recorded_at: object) -> int:
    purged = 0
    while True:
        rows = await connection.fetch(
            statements.PURGE_RECEIPTS, last_receipt, recorded_at, PURGED_AT_ONCE
        )
        purged += len(rows)
        if len(rows) < PURGED_AT_ONCE:
            return purged
