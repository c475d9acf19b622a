"""The projector: how fast it catches up, how far it is behind."""

import http.client
import json
import statistics
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from pymongo import MongoClient

from app.contexts.users.projections import (
    USER_HISTORY,
    USER_PROFILES,
    USER_PROJECTIONS,
    USER_SUMMARIES,
)
from benchmarks.comparisons import Loads
from benchmarks.effort import Effort
from benchmarks.figures import Figure, at_least, at_most, figure
from benchmarks.servers import Server
from benchmarks.world import Contender, Databases, await_caught_up, projections, service
from benchmarks.wrk import run_wrk

EVENTS_A_USER = 10
RAW_BATCH = 1000
LOW_LOAD_PAUSE = 0.05
SATURATING = 32


def catching_up(on: Databases, effort: Effort) -> Iterator[Figure]:
    """From zero over a log, against one client that bulk-writes the same final documents."""
    for number, (events, rounds) in enumerate(effort.caught_up):
        ours, raws = [], []
        for each in range(rounds):
            name = f"caught_up_{number}_{each}"
            with service(
                on, name, users=events // EVENTS_A_USER, events_a_user=EVENTS_A_USER
            ) as contender:
                ours.append(_rate_of_catching_up(contender.server))
            raws.append(events / _seconds_of_raw_writes(on, name))
        yield figure(
            f"catching up over {events:,} events, against raw bulk writes of the same documents",
            [mine / raw for mine, raw in zip(ours, raws, strict=True)],
            target=at_least(0.5),
            absolute=f"{statistics.median(ours):,.0f} events/s; "
            f"raw {statistics.median(raws):,.0f} events/s",
        )


def _rate_of_catching_up(server: Server) -> float:
    """Events a second since the projector took the first lease, before the server could serve."""
    await_caught_up(server)
    ended, found = time.time(), projections(server)
    began = min(datetime.fromisoformat(each["held_since"]).timestamp() for each in found)
    events: int = min(each["position"] for each in found)
    return events / (ended - began)


def _seconds_of_raw_writes(on: Databases, name: str) -> float:
    """How long one client takes over the documents of database `name`, indexes included."""
    seconds = 0.0
    with MongoClient[dict[str, Any]](on.mongodb, w="majority", tz_aware=True) as client:
        raw = client[f"{name}_raw"]
        for projection in USER_PROJECTIONS:
            source, target = client[name][projection.id], raw[projection.id]
            for index in source.index_information().values():
                target.create_index(index["key"])
            cursor = source.find(batch_size=RAW_BATCH)
            while batch := list(islice(cursor, RAW_BATCH)):
                began = time.monotonic()
                target.insert_many(batch, ordered=False)
                seconds += time.monotonic() - began
        client.drop_database(raw.name)
        client.drop_database(name)
    return seconds


def lag(on: Databases, name: str, contender: Contender, effort: Effort) -> Iterator[Figure]:
    """From the commit to the moment the change can be seen in every view."""
    await_caught_up(contender.server)
    lags = sorted(_lags_at_low_load(on, name, contender.server, effort))
    p50, p99 = lags[len(lags) // 2], lags[len(lags) * 99 // 100]
    what = "commit to visible in every view, low load"
    yield figure(f"{what}, p50", [p50], unit="ms", target=at_most(15))
    yield figure(f"{what}, p99", [p99], unit="ms", target=at_most(100))
    lagging, answers, drained = _saturate(on, contender, effort)
    half = len(lagging) // 2
    yield figure(
        f"events behind at saturation, {SATURATING} connections of PUT",
        lagging,
        absolute=f"{answers:,.0f} PUT/s; at most {max(lagging[:half]):,} in the first half, "
        f"{max(lagging[half:]):,} in the second",
    )
    yield figure(
        "from the end of saturation to nothing behind", [drained], unit="s", target=at_most(2)
    )


def _lags_at_low_load(on: Databases, name: str, server: Server, effort: Effort) -> Iterator[float]:
    with MongoClient[dict[str, Any]](on.mongodb, tz_aware=True) as client:
        views = client[name]
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
        for number in range(effort.lag_writes):
            digits = f"{number % effort.users:06}"
            user_id, new = f"user-{digits}", f"Ada King {digits}, {number}"
            body = json.dumps({"name": new})
            headers = {"Content-Type": "application/json"}
            connection.request("PUT", f"/users/{user_id}", body, headers)
            profile = json.load(connection.getresponse())
            # The time of the event is taken just before the commit.
            committed = datetime.fromisoformat(profile["updated_at"]).timestamp()
            key = f"{user_id}:{profile['version']}"
            for view, wanted in (
                (USER_PROFILES, {"_id": user_id, "version": profile["version"]}),
                (USER_SUMMARIES, {"_id": user_id, "name": new}),
                (USER_HISTORY, {"_id": key}),
            ):
                while views[view.id].find_one(wanted, {"_id": 1}) is None:
                    time.sleep(0.0005)
            yield (time.time() - committed) * 1000
            time.sleep(LOW_LOAD_PAUSE)
        connection.close()


def _saturate(
    on: Databases, contender: Contender, effort: Effort
) -> tuple[list[int], float, float]:
    """The lags that were seen, the answers a second, and the seconds until all was applied."""
    lagging: list[int] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            lagging.append(max(each["lag"] for each in projections(contender.server)))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        load = Loads(on.folder, effort.users).next("update_user", contender)
        measured = run_wrk(
            contender.server.url, load, connections=SATURATING, seconds=effort.saturated_seconds
        )
    finally:
        ended.set()
        watching.join()
    return lagging, measured.rate, await_caught_up(contender.server)
