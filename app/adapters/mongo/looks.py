"""Looks at what saves changed, from a thread of its own.

A busy event loop takes tens of milliseconds for a turn, and a driver's call takes some turns: what
is kept would be too old to be used just where it saves most.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from time import monotonic

from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from app.adapters.mongo.builds import COLLECTION
from app.adapters.mongo.changed_keys import FIELDS, observed
from app.adapters.mongo.client import LEAVE_SECONDS, Client, Found, election_of, outage
from app.adapters.mongo.kept_documents import KeptDocuments
from app.framework.observability.outages import note_outage

_logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.04
"""How long it is between two looks, while they are worth it."""

TRIAL_SECONDS = 1.0
"""For how long it looks at least."""

WORTH = 20
"""How many answers have to come out of what is kept in that time: looks cost as much as they
save."""

WORTH_SHARE = 0.25
"""Which share of the reads have to. A busy process spends 7 % of its time on looks, and some on
keeping what it reads: with fewer hits it answers more requests without."""

LONGEST_REST_SECONDS = 16.0
"""How long a rest is at most, after trials that were not worth it. When nothing is asked for so
long, what is asked next may be of another kind, and rests begin again with the shortest."""


class Looks:
    """Reports to `kept` what changed, as long as that saves more than it costs, and rests then."""

    def __init__(
        self, client: Client, kept: KeptDocuments, builds: Callable[[], Sequence[str]]
    ) -> None:
        """Look at nothing yet. `builds` gives the serving ones; the thread calls it."""
        self._client = client
        self._kept = kept
        self._builds = builds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="what changed", daemon=True)
        self._loop = asyncio.get_running_loop()
        self.asked = 0

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    async def close(self) -> None:
        """Stop the thread; for a look that MongoDB does not answer it waits a second at most."""
        self._stopping.set()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, LEAVE_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with contextlib.closing(self._client.blocking()) as client:
                    self._follow(client)
            except PyMongoError as error:  # DNS does not answer for the name in the URL
                self._note(error)
                self._stopping.wait(TRIAL_SECONDS)

    def _follow(self, client: MongoClient[Found]) -> None:
        rest = TRIAL_SECONDS
        while not self._stopping.is_set():
            hits, asked = self._kept.hits, self.asked
            self._try(client)
            if self._kept.hits - hits >= max(WORTH, WORTH_SHARE * (self.asked - asked)):
                rest = TRIAL_SECONDS
                continue
            if self.asked > asked:
                asked = self.asked
                self._stopping.wait(rest)
                rest = min(2 * rest, LONGEST_REST_SECONDS)
            ended = monotonic()
            while self.asked == asked and not self._stopping.wait(LOOK_SECONDS):
                pass
            if monotonic() >= ended + LONGEST_REST_SECONDS:
                rest = TRIAL_SECONDS

    def _try(self, client: MongoClient[Found]) -> None:
        until = monotonic() + TRIAL_SECONDS
        # By a majority: a save that an election takes back again has a number that another save
        # gets.
        builds = client[self._client.database_name].get_collection(
            COLLECTION,
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern("majority"),
        )
        try:
            while monotonic() < until:
                asked_at, election = monotonic(), election_of(client)
                found = builds.find({"_id": {"$in": self._builds()}}, FIELDS).to_list()
                # Else a primary may have answered that another one has replaced.
                if election_of(client) == election:
                    self._kept.report([observed(each) for each in found], asked_at, election)
                if self._stopping.wait(LOOK_SECONDS):
                    return
        except PyMongoError as error:
            self._note(error)
        except Exception:
            _logger.exception("What changed cannot be read: queries go to MongoDB.")

    def _note(self, error: PyMongoError) -> None:
        unavailable = outage(error)
        if unavailable is None:
            _logger.error("What changed cannot be read.", exc_info=error)
            return
        with contextlib.suppress(RuntimeError):  # the event loop is closed
            self._loop.call_soon_threadsafe(note_outage, unavailable.storage, unavailable)
