"""Verifies tokens: JWTs of OpenID Connect issuers, and API keys."""

from app.adapters.identity.issuers import Issuer, discovery_url, http_client, is_safe
from app.adapters.identity.key_form import ID_FORM, digest_of, id_of, new_key
from app.adapters.identity.key_verifier import KeyVerifier
from app.adapters.identity.keys_and_tokens import KeysAndTokens
from app.adapters.identity.local_issuer import LocalIssuer, UnusableKey
from app.adapters.identity.tokens import TokenRules, TokenVerifier, is_subject

__all__ = [
    "ID_FORM",
    "Issuer",
    "KeyVerifier",
    "KeysAndTokens",
    "LocalIssuer",
    "TokenRules",
    "TokenVerifier",
    "UnusableKey",
    "digest_of",
    "discovery_url",
    "http_client",
    "id_of",
    "is_safe",
    "is_subject",
    "new_key",
]
