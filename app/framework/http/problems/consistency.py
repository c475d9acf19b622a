"""Problems of reads that wait for a position of the log."""

from app.framework.http.consistency import InvalidConsistencyToken
from app.framework.http.problems.kinds import ErrorMapping, ErrorMappings, ProblemType
from app.framework.projections import AheadOfLog, DocumentParked, ReadModelBehind

INVALID_CONSISTENCY_TOKEN = ProblemType(
    400,
    "invalid-consistency-token",
    "Invalid consistency token",
    example="The Consistency-Token is malformed; send one as it was given.",
    meaning="The Consistency-Token is not one that a write was answered with: it is malformed, or "
    "stands for a write that the log does not hold, as does a Last-Event-ID. Keep tokens as "
    "they are, and leave out those of another service, or of one that was set back.",
)
READ_MODEL_BEHIND = ProblemType(
    503,
    "read-model-behind",
    "Read model behind",
    example="The views do not hold what the Consistency-Token or Last-Event-ID stands for yet. "
    "Send it again.",
    meaning="The read waited for the views to hold what the Consistency-Token (or Last-Event-ID) "
    "stands for, in vain. Send it again after the seconds in Retry-After, or without the "
    "token to read what there is.",
    retry_after=1,
)


def _behind(error: ReadModelBehind) -> str:
    if error.is_paused:
        return (
            "The views are paused by an operator, and do not hold what the Consistency-Token or "
            "Last-Event-ID stands for. Send it again when they are resumed."
        )
    return READ_MODEL_BEHIND.example


DOCUMENT_PARKED = ProblemType(
    503,
    "document-parked",
    "Document parked",
    example="The document lacks an event that the Consistency-Token stands for: it could not be "
    "applied, and an operator has to replay it. Without the token the document is read as it was "
    "before that event.",
    meaning="An event could not be applied to this document, so it is parked as it was before, "
    "and the Consistency-Token stands for that event or a later one. Operators see it in "
    "`GET /admin/projections/{name}/parked`; once they have replayed it, send the read again. "
    "Without the token the document is read as it was.",
    retry_after=60,
)

CONSISTENCY_PROBLEMS: ErrorMappings = {
    DocumentParked: ErrorMapping(DOCUMENT_PARKED, lambda _: DOCUMENT_PARKED.example),
    InvalidConsistencyToken: ErrorMapping(INVALID_CONSISTENCY_TOKEN),
    AheadOfLog: ErrorMapping(
        INVALID_CONSISTENCY_TOKEN,
        lambda _: (
            "The log does not reach as far as the Consistency-Token or Last-Event-ID; leave it "
            "out, or send one as it was given."
        ),
    ),
    ReadModelBehind: ErrorMapping(READ_MODEL_BEHIND, _behind),
}
