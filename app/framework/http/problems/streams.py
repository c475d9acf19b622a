"""Problems of streams of events."""

from app.framework.http.event_streams import TooManyStreams
from app.framework.http.problems.kinds import ErrorMapping, ErrorMappings, ProblemType

TOO_MANY_STREAMS = ProblemType(
    429,
    "too-many-streams",
    "Too many streams",
    example="You follow 100 streams, as many as one client may; close one first.",
    meaning="The client, known by its address, follows as many streams as one client may. Close "
    "one before another is opened. Behind a proxy all clients have the proxy's address, unless "
    "the setting FORWARDED_ALLOW_IPS names the proxy.",
)

STREAM_PROBLEMS: ErrorMappings = {TooManyStreams: ErrorMapping(TOO_MANY_STREAMS)}
