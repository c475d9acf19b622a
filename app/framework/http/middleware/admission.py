"""Backpressure: the service works on as many requests as it can answer in time.

Otherwise every request would wait for all others, and be answered after its client has left.
"""

from app.framework.http.middleware.answer import Answer
from app.framework.http.middleware.answered import Answered
from app.framework.http.middleware.head import Head
from app.framework.http.middleware.places import Places
from app.framework.http.problems import OVERLOADED
from app.framework.http.refusals import problem_response

ALWAYS_ADMITTED = ("/health/", "/metrics", "/problems")
"""Prefixes of the paths that are answered at any load: balancers, Prometheus and refused clients
need them, and they are cheap."""


class Admission:
    """Gives a complete request one of `places` until its answer starts.

    So an incomplete body, a stream or a slow reader does not keep a place.
    """

    def __init__(self, places: Places) -> None:
        self._places = places

    def admit(self, head: Head, answer: Answer) -> None:
        """Give the request a place, if it needs one.

        Raises:
            Answered: all places are taken.

        """
        if head.path.startswith(ALWAYS_ADMITTED):
            return
        if self._places.full:
            self._places.refuse()
            raise Answered(problem_response(head.scope, OVERLOADED, OVERLOADED.example))
        answer.take_place(self._places)
