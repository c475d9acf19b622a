"""Problems of streams of events."""

from app.framework.http.event_streams import TooManyStreams
from app.framework.http.problems.kinds import ErrorMapping, ErrorMappings, ProblemType

TOO_MANY_STREAMS = ProblemType(
    429,
    "too-many-streams",
    "Too many streams",
    example="You follow 100 streams, as many as one client may; close one first.",
    meaning="The client, known by the principal of its token, follows as many streams as one "
    "client may. Close one before another is opened. Where the service runs without "
    "authentication it is known by its address: behind a proxy all clients have the proxy's, "
    "unless the setting FORWARDED_ALLOW_IPS names the proxy.",
    retry_after=10,
)

STREAM_PROBLEMS: ErrorMappings = {TooManyStreams: ErrorMapping(TOO_MANY_STREAMS)}
