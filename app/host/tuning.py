"""How the interpreter is set for a process that serves, and how long its stop may take."""

import gc
import sys

DRAIN_SECONDS = 10
"""How long requests under way may take to finish when the service stops."""

CLOSE_SECONDS = 10.0
"""How long a process may take to close what it has opened."""

_COLLECTED_EVERY = (50_000, 10, 10)
"""For `gc.set_threshold`. With Python's defaults a busy process spends a third of its time in
collections (docs/performance.md)."""

_THREADS_WAIT_SECONDS = 0.0005
"""For `sys.setswitchinterval`. Python's default, 5 ms, is long for an answer of MongoDB, which a
thread of the driver receives (docs/performance.md)."""


def tune() -> None:
    """Set the interpreter for requests; call it when everything is loaded."""
    spare_the_collector()
    gc.set_threshold(*_COLLECTED_EVERY)
    sys.setswitchinterval(_THREADS_WAIT_SECONDS)


def spare_the_collector() -> None:
    """Let Python collect garbage of requests only.

    Everything that exists by now lives as long as the process. Later objects are hardly ever in
    cycles, and others are freed at once in any case.
    """
    gc.collect()
    gc.freeze()
