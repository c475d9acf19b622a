"""Verifies tokens: JWTs of OpenID Connect issuers, and API keys."""

from app.adapters.identity.issuers import Issuer, discovery_url, http_client, is_safe
from app.adapters.identity.local_issuer import LocalIssuer, UnusableKey
from app.adapters.identity.tokens import TokenRules, TokenVerifier, is_subject

__all__ = [
    "Issuer",
    "LocalIssuer",
    "TokenRules",
    "TokenVerifier",
    "UnusableKey",
    "discovery_url",
    "http_client",
    "is_safe",
    "is_subject",
]
