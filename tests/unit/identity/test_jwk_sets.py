"""JWK sets of issuers: which of their keys verify tokens, and which are left out."""

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt.algorithms import RSAAlgorithm

from app.adapters.identity.issuers import Unusable, keys_of
from tests.unit.identity.issuing import TestIssuer


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"keys": 7},
        {"keys": [7]},
        {"keys": [{"kty": "EC"}]},
        {"keys": [{"kty": "oct"}]},
        {"keys": [{"kty": "new"}]},
    ],
)
def test_a_set_without_usable_keys_is_refused(found):
    """As no token could be verified."""
    with pytest.raises(Unusable):
        keys_of(found)


@pytest.mark.parametrize("odd", [{"alg": "none"}, {"kid": []}, {"crv": []}, {"alg": "HS256"}])
def test_odd_keys_are_left_out(odd):
    """And those beside them are used."""
    jwk = TestIssuer().jwk("one")
    assert keys_of({"keys": [{**jwk, "kid": "odd", **odd}, jwk]}).keys() == {"one", None}


def test_short_rsa_keys_are_left_out():
    """RFC 7518, section 3.3: 2,048 bits or more."""
    short, long = (
        {
            **RSAAlgorithm.to_jwk(generate_private_key(65537, bits).public_key(), as_dict=True),
            "kid": str(bits),
        }
        for bits in (1024, 2048)
    )
    both = [{**each, "alg": "RS256"} for each in (short, long)]
    assert keys_of({"keys": both}).keys() == {"2048", None}


def test_keys_for_encryption_are_left_out():
    """They are there for others."""
    issuer = TestIssuer()
    jwk = issuer.jwk("one")
    assert keys_of({"keys": [{**jwk, "kid": "a", "use": "enc"}, jwk]}).keys() == {"one", None}
