"""The manifest of a bounded context, from which the service is wired up."""

from app.framework.contexts.context import Context, upcasters_of
from app.framework.contexts.following import Follow, Followed, FollowHandler
from app.framework.contexts.read_side import ReadSide
from app.framework.contexts.verification import defined_in, verify

__all__ = [
    "Context",
    "Follow",
    "FollowHandler",
    "Followed",
    "ReadSide",
    "defined_in",
    "upcasters_of",
    "verify",
]
