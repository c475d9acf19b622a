"""Handlers of log lines that fail without an error for those who log."""

import contextlib
import logging
import logging.handlers
import sys
from pathlib import Path
from typing import TextIO

_logger = logging.getLogger(__name__)


def write_only_to(handler: logging.Handler, log: logging.Logger) -> None:
    """Have `log` write its messages to `handler` alone, as they are, at a level of its own."""
    handler.setFormatter(_AsItIs())
    for each in log.handlers:
        each.close()
    log.handlers = [handler]
    log.propagate = False
    log.setLevel(logging.INFO)


class _AsItIs(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return record.getMessage()


class StandardError(logging.StreamHandler[TextIO]):
    """Writes to standard error; loses what it does not take, as when it is closed."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's
        """Report the error on standard error, if it takes that."""
        with contextlib.suppress(ValueError):  # of a closed file; OSError is suppressed already
            super().handleError(record)


class AuditFile(logging.handlers.WatchedFileHandler):
    """Appends to a file, which may be rotated; loses lines while it cannot be written.

    The log says so once, and once more when lines are written again.
    """

    def __init__(self, file: Path) -> None:
        super().__init__(file, encoding="utf-8")
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or count it as lost."""
        before = self._lost
        try:
            super().emit(record)
        except OSError:  # of opening it again, which the standard library does not handle
            self._forget_stream()
            self.handleError(record)
        if before and self._lost == before:
            self._lost = 0
            _logger.warning(
                "The audit log %s is written again; up to %d of its lines were lost.",
                self.baseFilename,
                before,
            )

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - as above
        """Count the line as lost; it must not be an error of the request that it is about."""
        self._lost += 1
        if self._lost == 1:
            _logger.error(
                "Cannot write the audit log %s: %s. Its lines are lost until that is corrected; "
                "requests are served. Check the space and the permissions there (AUDIT_LOG).",
                self.baseFilename,
                sys.exception(),
            )

    def close(self) -> None:
        """Close the file; what it does not take is lost."""
        with contextlib.suppress(OSError):
            super().close()

    def _forget_stream(self) -> None:
        # It may have a rest that its file never takes, and must not be in the way of the next one.
        stream, self.stream = self.stream, None
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
