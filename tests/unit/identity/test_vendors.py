"""Tokens in the forms of well-known issuers, which docs/security.md says how to set up."""

import pytest

from app.adapters.identity import Issuer, TokenRules, TokenVerifier
from app.framework.principal import PrincipalKind
from app.framework.security import InvalidToken
from tests.unit.identity.issuing import AUDIENCE, NOW, URL, Clock, TestIssuer

UUID = "7d1f0c5e-2f0b-4c8c-9b57-0f6f7f0c2a11"
API = "5f0a8c46-6a0e-4f0e-8d53-3f1d0c9f5b7a"
PERSON, PROGRAM = PrincipalKind.USER, PrincipalKind.CLIENT

KEYCLOAK = {"sub": UUID, "azp": "shop", "typ": "Bearer", "scope": "profile users:read"}
AUTH0 = {
    "aud": [AUDIENCE, "https://example.eu.auth0.com/userinfo"],
    "scope": "openid users:read",
}
ENTRA = {"aud": API, "azp": "a client", "oid": UUID, "scope": None, "ver": "2.0"}
OKTA = {"cid": "0oa1", "scope": None}


@pytest.mark.parametrize(
    ("claims", "typ", "kind"),
    [
        (KEYCLOAK | {"preferred_username": "alice"}, "JWT", PERSON),
        (KEYCLOAK | {"preferred_username": "alice"}, "at+jwt", PERSON),
        (
            KEYCLOAK | {"client_id": "shop", "preferred_username": "service-account-shop"},
            "JWT",
            PROGRAM,
        ),
        (AUTH0 | {"sub": "auth0|1", "azp": "shop"}, "JWT", PERSON),
        (AUTH0 | {"sub": "auth0|1", "client_id": "shop"}, "at+jwt", PERSON),
        (
            AUTH0 | {"sub": "shop@clients", "azp": "shop", "gty": "client-credentials"},
            "JWT",
            PROGRAM,
        ),
        (ENTRA | {"sub": "pairwise", "scp": "users:read"}, "JWT", PERSON),
        (ENTRA | {"sub": "pairwise", "roles": ["users:read"], "scp": "other"}, "JWT", PERSON),
        (ENTRA | {"sub": UUID, "roles": ["users:read"], "idtyp": "app"}, "JWT", PROGRAM),
        (OKTA | {"sub": "alice@example.com", "scp": ["openid", "users:read"]}, None, PERSON),
        (OKTA | {"sub": "0oa1", "scp": ["users:read"]}, None, PROGRAM),
    ],
)
async def test_tokens_of_known_issuers_say_who_and_what(claims, typ, kind):
    """With the settings of their recipe; a program owns no profile."""
    issuer = TestIssuer()
    rules = TokenRules(
        audiences=[AUDIENCE, API],
        types=frozenset({"jwt", "at+jwt"}),
        scope_claims=["scope", "scp", "roles"],
    )
    verifier = TokenVerifier([Issuer(URL, issuer.client)], rules, clock=Clock(NOW))
    found = await verifier.authenticate(issuer.token(claims, typ=typ))
    assert found.kind is kind
    assert "users:read" in found.scopes
    assert (found.user_id is None) is (kind is PROGRAM)


async def test_what_is_not_set_up_does_not_count():
    """By default roles are no scopes, and a token without a type is none of RFC 9068."""
    issuer = TestIssuer()
    rules = TokenRules(audiences=[AUDIENCE])
    verifier = TokenVerifier([Issuer(URL, issuer.client)], rules, clock=Clock(NOW))
    found = await verifier.authenticate(issuer.token({"roles": ["users:admin"]}))
    assert found.scopes == {"users:read", "users:write"}
    with pytest.raises(InvalidToken, match="type"):
        await verifier.authenticate(issuer.token(typ=None))
