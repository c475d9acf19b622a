"""The tokens that an address may try."""

from collections.abc import Mapping
from typing import Any

from app.framework.http.rate_limits import RateLimits, Verdict

BAD_TOKEN = 5
"""What a token costs that is not accepted: to verify one takes as long as some reads."""

WITHOUT = 1
"""What a request costs that is refused for want of a token that is accepted."""

ACCEPTED = 10_000
"""How many tokens are known that were accepted before."""


class Attempts:
    """Has the address of a request pay if it comes without a token that is accepted.

    Tokens that were accepted before are verified in any case: so an address that is shared, such as
    that of a proxy, goes on to serve those who have one. They cost next to nothing, also when they
    have expired: a client that repeats such a token takes little from others at its address.
    """

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits
        # Not the tokens: Python's hashes of texts are other ones in each process.
        self._accepted: dict[int, None] = {}

    def refused(self, scope: Mapping[str, Any], token: str) -> Verdict | None:
        """The verdict on a request whose token may not be verified now; None if it may."""
        if hash(token) in self._accepted:
            return None
        verdict = self._limits.look_at_address(scope, BAD_TOKEN)
        return verdict if verdict.is_refused else None

    def accept(self, token: str) -> None:
        """Note that a token was accepted."""
        if hash(token) not in self._accepted:
            self._accepted[hash(token)] = None
            if len(self._accepted) > ACCEPTED:
                del self._accepted[next(iter(self._accepted))]

    def fail(self, scope: Mapping[str, Any], token: str) -> None:
        """Have the address pay for a token that was not accepted, unless it was once."""
        if hash(token) not in self._accepted:
            self._limits.take_from_address(scope, BAD_TOKEN - WITHOUT)

    def come_without(self, scope: Mapping[str, Any]) -> Verdict:
        """Have the address pay for a request without a token that is accepted."""
        return self._limits.take_from_address(scope, WITHOUT)
