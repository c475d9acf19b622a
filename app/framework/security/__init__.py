"""Who may do what: the policies of messages, what enforces them, and the port to tokens."""

from app.framework.security.authentication import (
    Authenticator,
    IdentityUnavailable,
    InvalidToken,
)
from app.framework.security.authorization import Authorize
from app.framework.security.policies import Forbidden, Policies, Policy, owned, without_policy

__all__ = [
    "Authenticator",
    "Authorize",
    "Forbidden",
    "IdentityUnavailable",
    "InvalidToken",
    "Policies",
    "Policy",
    "owned",
    "without_policy",
]
