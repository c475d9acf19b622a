"""Tokens: what is accepted, and everything that is not."""

import base64
import hmac
import json
from collections.abc import Sequence
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.adapters.identity import Issuer, TokenRules, TokenVerifier
from app.adapters.identity.tokens import CACHED, TOKEN_LIMIT, derived_user_id
from app.framework.principal import PrincipalKind
from app.framework.security import InvalidToken
from tests.unit.identity.issuing import AUDIENCE, NOW, URL, Clock, TestIssuer


@pytest.fixture
def issuer() -> TestIssuer:
    """An issuer of one key."""
    return TestIssuer()


@pytest.fixture
def clock() -> Clock:
    """The clock of the verifier."""
    return Clock(NOW)


@pytest.fixture
def verifier(issuer: TestIssuer, clock: Clock) -> TokenVerifier:
    """A verifier of tokens of the issuer, for the audience."""
    return TokenVerifier(
        [Issuer(URL, issuer.client)], TokenRules(audiences=[AUDIENCE]), clock=clock
    )


async def refusal(verifier: TokenVerifier, token: str) -> str:
    """Why a token is refused."""
    with pytest.raises(InvalidToken) as refused:
        await verifier.authenticate(token)
    return str(refused.value)


async def test_a_token_says_whose_it_is(verifier, issuer):
    """The subject at its issuer, what it may do, until when, and the profile that it owns."""
    found = await verifier.authenticate(issuer.token())
    assert (found.kind, found.issuer, found.subject) == (PrincipalKind.USER, URL, "alice")
    assert found.scopes == {"users:read", "users:write"}
    assert found.user_id == derived_user_id(URL, "alice")
    assert found.expires_at == NOW + 330
    assert found.actor == f"user {URL} alice"


async def test_a_client_owns_nothing(verifier, issuer):
    """Its subject is itself (RFC 9068, section 2.2)."""
    for claim in ("client_id", "azp"):
        found = await verifier.authenticate(issuer.token({"sub": "shop", claim: "shop"}))
        assert (found.kind, found.user_id) == (PrincipalKind.CLIENT, None)


async def test_the_profile_may_be_named_by_a_claim(issuer, clock):
    """A token without it is refused: it would own another."""
    rules = TokenRules(audiences=[AUDIENCE], user_id_claim="uid")
    verifier = TokenVerifier([Issuer(URL, issuer.client)], rules, clock=clock)
    found = await verifier.authenticate(issuer.token({"uid": "user123"}))
    assert found.user_id == "user123"
    for uid in (None, "", 7, "a\nb", "\ud800", "a" * 256):
        token = issuer.token({"uid": uid})
        assert await refusal(verifier, token) == "It has no usable text in the claim uid."


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": None, "scp": "a b"}, {"a", "b"}),
        ({"scope": None, "scp": ["a", "b"]}, {"a", "b"}),
        ({"scope": None}, set()),
        ({"scope": 7}, set()),
        ({"scope": ["a", 7]}, {"a"}),
    ],
)
async def test_scopes_come_as_issuers_write_them(verifier, issuer, claims, scopes):
    """As a text, or as a list."""
    assert (await verifier.authenticate(issuer.token(claims))).scopes == scopes


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": None}, "It lacks one of exp, iat, iss, aud and sub."),
        ({"iat": None}, "It lacks one of exp, iat, iss, aud and sub."),
        ({"aud": None}, "It lacks one of exp, iat, iss, aud and sub."),
        ({"sub": None}, "It lacks one of exp, iat, iss, aud and sub."),
        ({"iss": None}, "It is of another issuer."),
        ({"iss": f"{URL}/"}, "It is of another issuer."),
        ({"iss": "https://evil.example"}, "It is of another issuer."),
        ({"aud": "https://other.example"}, "It is meant for another service."),
        ({"aud": []}, "It lacks one of exp, iat, iss, aud and sub."),
        ({"sub": ""}, "Its subject cannot be used."),
        ({"sub": "a" * 256}, "Its subject cannot be used."),
        ({"sub": "a\nb"}, "Its subject cannot be used."),
        ({"exp": NOW - 30}, "It has expired."),
        ({"exp": "tomorrow"}, "Its exp is no time."),
        ({"exp": True}, "Its exp is no time."),
        ({"exp": 1e300}, "Its exp is no time."),
        ({"iat": NOW + 35}, "It is not valid yet."),
        ({"nbf": NOW + 35}, "It is not valid yet."),
    ],
)
async def test_what_a_token_has_to_say(verifier, issuer, claims, reason):
    """And what it must not."""
    assert await refusal(verifier, issuer.token(claims)) == reason


@pytest.mark.parametrize("claims", [{"exp": NOW - 25}, {"iat": NOW + 25}, {"nbf": NOW + 25}])
async def test_clocks_may_be_off_by_half_a_minute(verifier, issuer, claims):
    """Of issuers."""
    await verifier.authenticate(issuer.token(claims))


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE, "https://other.example"]])
async def test_a_token_may_be_for_several_services(verifier, issuer, audience):
    """If this is one of them."""
    await verifier.authenticate(issuer.token({"aud": audience}))


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"typ": "JWT"}, "Its type is not that of an access token."),
        ({"typ": "id+jwt"}, "Its type is not that of an access token."),
        ({"crit": ["exp"]}, "It is not a JWT."),
        ({"kid": "two"}, "Its issuer has no key of the id that it names."),
    ],
)
async def test_what_its_header_has_to_say(verifier, issuer, headers, reason):
    """Of its type and its key; it brings no key of its own, as none of that is looked at."""
    assert await refusal(verifier, issuer.token(**headers)) == reason


async def test_a_type_may_have_its_prefix(verifier, issuer):
    """And any case, as a media type has."""
    await verifier.authenticate(issuer.token(typ="application/AT+JWT"))


def with_part(token: str, place: int, part: bytes) -> str:
    """The token with another part in one place."""
    parts = token.split(".")
    parts[place] = base64.urlsafe_b64encode(part).rstrip(b"=").decode()
    return ".".join(parts)


def signed_with_the_public_key(issuer: TestIssuer) -> str:
    """A token whose secret is the public key (RFC 8725, section 2.1)."""
    public = issuer.keys["one"].public_key()
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, claims, _ = with_part(
        issuer.token(), 0, json.dumps({"typ": "at+jwt", "kid": "one", "alg": "HS256"}).encode()
    ).split(".")
    signed = hmac.digest(secret, f"{head}.{claims}".encode(), "sha256")
    return f"{head}.{claims}.{base64.urlsafe_b64encode(signed).rstrip(b'=').decode()}"


async def test_a_forged_token_is_refused(verifier, issuer):
    """Without a signature, with another's, with the public key as a secret, or changed."""
    right = issuer.token()
    header = jwt.get_unverified_header(right)
    algs: Sequence[Any] = ("none", None, ["ES256"], {})
    for alg in algs:
        none = with_part(right, 0, json.dumps({**header, "alg": alg}).encode())
        for each in (none, none.rpartition(".")[0] + "."):
            assert await refusal(verifier, each) == "Its algorithm is not accepted."
    assert await refusal(verifier, signed_with_the_public_key(issuer)) == (
        "Its algorithm is not accepted."
    )
    other = TestIssuer()
    assert await refusal(verifier, other.token()) == "Its signature is not that of the key."
    claims = jwt.decode(right, options={"verify_signature": False})
    changed = with_part(right, 1, json.dumps({**claims, "scope": "users:admin"}).encode())
    assert await refusal(verifier, changed) == "Its signature is not that of the key."


async def test_a_key_is_used_for_its_own_algorithm_only(verifier, issuer):
    """A token of RSA that names a key of elliptic curves."""
    issuer.keys["two"] = rsa.generate_private_key(65537, 2048)
    await verifier.authenticate(issuer.token(key="two"))
    crossed = issuer.token(key="two", kid="one")
    assert await refusal(verifier, crossed) == "Its algorithm is not that of the key."


@pytest.mark.parametrize(
    "token", ["", "a", "a.b", "a.b.c", "a.b.c.d.e", "e30.e30.", "e30.e30.e30", "W10.e30.e30"]
)
async def test_what_is_no_token_is_refused(verifier, token):
    """Without a word of what it is."""
    assert await refusal(verifier, token) in {
        "It is not a JWT.",
        "Its algorithm is not accepted.",
    }


async def test_a_token_is_written_in_one_way(verifier, issuer):
    """Base64 allows some; each would be remembered apart."""
    right = issuer.token()
    for each in (f"{right}==", right[:-1] + chr(ord(right[-1]) + 1)):
        assert await refusal(verifier, each) == "It is not a JWT."


async def test_a_token_is_not_read_beyond_a_length(verifier, issuer):
    """Verifying takes time."""
    long = issuer.token({"x": "x" * TOKEN_LIMIT})
    assert await refusal(verifier, long) == f"It is longer than {TOKEN_LIMIT} characters."


async def test_a_verified_token_is_remembered_until_it_expires(verifier, issuer, clock):
    """Also if its key is gone meanwhile; then it is refused, without being verified again."""
    token = issuer.token()
    first = await verifier.authenticate(token)
    asked = len(issuer.asked)
    assert await verifier.authenticate(token) is first
    assert len(issuer.asked) == asked
    clock.at = NOW + 330
    assert await refusal(verifier, token) == "It has expired."
    assert await refusal(verifier, token) == "It has expired."
    assert len(issuer.asked) == asked


async def test_only_some_tokens_are_remembered(verifier, issuer):
    """The first are forgotten, and verified again."""
    tokens = [issuer.token({"jti": str(each)}) for each in range(3)]
    principal = await verifier.authenticate(tokens[0])
    for each in range(CACHED):
        verifier._remember(str(each), principal)
    assert tokens[0] not in verifier._verified
    assert len(verifier._verified) == CACHED
    assert await verifier.authenticate(tokens[0]) == principal


def test_a_derived_id_is_one_subjects_for_ever():
    """It has only what an id may have."""
    assert derived_user_id(URL, "alice") == derived_user_id(URL, "alice")
    others = [derived_user_id(URL, "bob"), derived_user_id(f"{URL}/", "alice")]
    assert derived_user_id(URL, "alice") not in others
    assert derived_user_id(URL, "alice").isalnum()
