"""Headers that are refused: tokens that are forged, odd, broken, or somewhere else."""

import base64
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm

from app.adapters.identity import LocalIssuer
from tests.acceptance.issuers import LoopbackIssuer
from tests.unit.identity.issuing import AUDIENCE

_ES256 = ECAlgorithm(ECAlgorithm.SHA256)
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def forgeries(issuer: LoopbackIssuer) -> Mapping[str, list[bytes]]:
    """The Authorization headers of requests, by what is wrong with them.

    The issuer has the key `one`; all but for one point is as in a token that is right.
    """
    tokens = {
        **dict(_with_other_claims(issuer)),
        **dict(_with_other_headers(issuer)),
        **dict(_with_other_signatures(issuer)),
        **dict(_malformed(issuer)),
    }
    right = issuer.token().encode()
    return {
        **{what: [b"Bearer " + each.encode()] for what, each in tokens.items()},
        "no header": [],
        "an empty header": [b""],
        "no token": [b"Bearer"],
        "padding alone": [b"Bearer =="],
        "no scheme": [right],
        "Basic": [b"Basic YWxpY2U6eA=="],
        "a token as the password": [b"Basic " + base64.b64encode(b"alice:" + right)],
        "another scheme": [b"Token " + right],
        "a longer scheme": [b"Bearers " + right],
        "a tab": [b"Bearer\t" + right],
        "a comma": [b"Bearer " + right + b", Bearer " + right],
        "trailing words": [b"Bearer " + right + b" x"],
        "a parameter": [b"Bearer token=" + right],
        "quotes": [b'Bearer "' + right + b'"'],
        "not ASCII": [b"Bearer " + right + b"\xc3\xa9"],
        "two headers": [b"Bearer " + right] * 2,
        "two headers, the first empty": [b"", b"Bearer " + right],
        "two schemes": [b"Basic YWxpY2U6eA==", b"Bearer " + right],
    }


def _with_other_claims(issuer: LoopbackIssuer) -> Iterator[tuple[str, str]]:
    now = int(time.time())
    claims: Mapping[str, Any] = {
        "expired": {"exp": now - 35},
        "not valid yet": {"nbf": now + 60},
        "issued in the future": {"iat": now + 60},
        "no exp": {"exp": None},
        "no iat": {"iat": None},
        "no iss": {"iss": None},
        "no aud": {"aud": None},
        "no sub": {"sub": None},
        "another issuer": {"iss": "https://login.example.com"},
        "the issuer of development": {"iss": LocalIssuer.url},
        "the issuer with a slash": {"iss": f"{issuer.url}/"},
        "two issuers": {"iss": [issuer.url]},
        "another audience": {"aud": "https://other.example.com"},
        "a part of the audience": {"aud": AUDIENCE[:-1]},
        "no audience in a list": {"aud": []},
        "numbers for audiences": {"aud": [1, AUDIENCE]},
        "an audience in an object": {"aud": {AUDIENCE: AUDIENCE}},
        "exp as a text": {"exp": str(now + 300)},
        "exp without an end": {"exp": float("inf")},
        "exp that is no number": {"exp": float("nan")},
        "exp of many digits": {"exp": 10**3000},
        "exp true": {"exp": True},
        "exp in a list": {"exp": [now + 300]},
        "iat that is no number": {"iat": float("nan")},
        "a number for a subject": {"sub": 7},
        "an empty subject": {"sub": ""},
        "a subject of two lines": {"sub": "alice\nbob"},
        "half a character for a subject": {"sub": "\ud800"},
        "a long subject": {"sub": "a" * 256},
        "a number for an id": {"jti": 7},
        "too long": {"padding": "x" * 16 * 1024},
    }
    for what, each in claims.items():
        yield what, _token(issuer, each)
    deep = b'{"a":' * 900 + b"1" + b"}" * 900
    yield "many objects in each other", _with_part(issuer.token(), 1, deep)


def _with_other_headers(issuer: LoopbackIssuer) -> Iterator[tuple[str, str]]:
    other = LoopbackIssuer()
    other.url = issuer.url
    headers: Mapping[str, Any] = {
        "an ID token": {"typ": "JWT"},
        "no type": {"typ": None},
        "another type": {"typ": "dpop+jwt"},
        "types in a list": {"typ": ["at+jwt"]},
        "an extension": {"crit": ["exp"], "exp": 1},
        "an unencoded payload": {"b64": False, "crit": ["b64"]},
        "an unencoded payload that is not critical": {"b64": False},
        "an unknown key": {"kid": "two"},
        "a path for a key": {"kid": "../../dev/null"},
    }
    for what, each in headers.items():
        yield what, _token(issuer, {}, each)
    # What follows brings a key of its own, which is not looked at.
    yield "another key of the same id", other.token()
    yield "a key in the header", other.token(jwk=other.jwk("one"))
    yield "an address of keys", other.token(jku="http://127.0.0.1:9/keys")
    yield "an address of a certificate", other.token(x5u="http://127.0.0.1:9/x", x5c=["AAAA"])
    right = issuer.token()
    odd: Mapping[str, Any] = {
        "alg in a list": {"alg": ["ES256"]},
        "alg in an object": {"alg": {}},
        "no alg": {"alg": None},
        "a list for a key": {"alg": "ES256", "kid": ["one"]},
        "another alg of the key": {"alg": "ES384"},
        "an alg of other keys": {"alg": "RS256"},
    }
    for what, each in odd.items():
        head = {"typ": "at+jwt", "kid": "one", **each}
        yield what, _with_part(right, 0, json.dumps(head).encode())
    yield (
        "alg twice",
        _with_part(right, 0, b'{"typ":"at+jwt","kid":"one","alg":"ES256","alg":"none"}'),
    )
    yield "a header of a list", _with_part(right, 0, b"[]")


def _with_other_signatures(issuer: LoopbackIssuer) -> Iterator[tuple[str, str]]:
    right = issuer.token()
    signed, _, signature = right.rpartition(".")
    for alg in ("none", "None", "NONE"):
        head = json.dumps({"typ": "at+jwt", "kid": "one", "alg": alg}).encode()
        yield f"alg {alg}", _with_part(right, 0, head)
        yield f"alg {alg}, unsigned", _with_part(f"{signed}.", 0, head)
    yield "unsigned", f"{signed}."
    for what, secret in _public_secrets(issuer).items():
        head = json.dumps({"typ": "at+jwt", "kid": "one", "alg": "HS256"}).encode()
        yield f"signed with {what}", _signed(_with_part(right, 0, head), secret)
    last = _ORDER.to_bytes(32, "big")
    for what, each in {
        "zeros": bytes(64),
        "zero and one": bytes(63) + b"\1",
        "the order of the curve": last + last,
        "too much": b"\xff" * 64,
        "too few bytes": _decoded(signature)[:63],
        "too many bytes": _decoded(signature) + b"\0",
        "the other half first": _decoded(signature)[32:] + _decoded(signature)[:32],
    }.items():
        yield f"a signature of {what}", f"{signed}.{_encoded(each)}"
    claims = json.dumps({**_claims(right), "scope": "users:admin"})
    yield "more scopes", _with_part(right, 1, claims.encode())
    yield "another's signature", f"{signed}.{issuer.token().rpartition('.')[2]}"
    issuer.keys["rsa"] = rsa.generate_private_key(65537, 2048)
    yield "a key that is not published", issuer.token(key="rsa")
    yield "an RSA signature of the other key", issuer.token(key="rsa", kid="one")
    del issuer.keys["rsa"]


def _malformed(issuer: LoopbackIssuer) -> Iterator[tuple[str, str]]:
    right = issuer.token()
    head, claims, signature = right.split(".")
    yield "a letter", "a"
    yield "a dot", "."
    yield "two dots", ".."
    yield "two parts", f"{head}.{claims}"
    yield "four parts", f"{right}.{signature}"
    yield "five parts, as of an encrypted token", f"{head}.{claims}.{signature}.{head}.{claims}"
    yield "a token in a token", issuer.token({"token": right}, cty="JWT", typ="JWT")
    yield "a trailing sign", f"{right}~"
    yield "padding", f"{right}=="
    yield "bits beyond the last byte", right[:-1] + chr(ord(right[-1]) + 1)
    yield "other letters of Base64", right.replace("-", "+").replace("_", "/") + "+"
    yield "no JSON", _with_part(right, 1, b"alice")
    yield "no UTF-8", _with_part(right, 1, b'{"sub":"\xff"}')
    yield "a number of too many digits", _with_part(right, 1, b'{"exp":' + b"9" * 5000 + b"}")
    yield "many lists in each other", _with_part(right, 1, b"[" * 5500)
    yield "compressed", issuer.token(zip="DEF", typ="JWE")


def _public_secrets(issuer: LoopbackIssuer) -> Mapping[str, bytes]:
    """What is public of the key, each a secret for HS256 (RFC 8725, section 2.1)."""
    public = issuer.keys["one"].public_key()
    jwk = issuer.jwk("one")
    info = PublicFormat.SubjectPublicKeyInfo
    return {
        "the public key in PEM": public.public_bytes(Encoding.PEM, info),
        "the public key in DER": public.public_bytes(Encoding.DER, info),
        "the JWK": json.dumps(jwk).encode(),
        "the compact JWK": json.dumps(jwk, separators=(",", ":")).encode(),
        "a coordinate": _decoded(jwk["x"]),
        "nothing": b"",
    }


def _token(
    issuer: LoopbackIssuer, claims: Mapping[str, Any], header: Mapping[str, Any] | None = None
) -> str:
    """A token of the issuer, which says even what PyJWT would not sign; None leaves one out."""
    head = {"typ": "at+jwt", "kid": "one", "alg": "ES256", **(header or {})}
    said = {**_claims(issuer.token()), **claims}
    parts = [
        _encoded(
            json.dumps({name: each for name, each in part.items() if each is not None}).encode()
        )
        for part in (head, said)
    ]
    signature = _ES256.sign(".".join(parts).encode(), issuer.keys["one"])
    return ".".join([*parts, _encoded(signature)])


def _claims(token: str) -> dict[str, Any]:
    return dict(json.loads(_decoded(token.split(".")[1])))


def _signed(token: str, secret: bytes) -> str:
    signed = token.rpartition(".")[0]
    return f"{signed}.{_encoded(hmac.digest(secret, signed.encode(), 'sha256'))}"


def _with_part(token: str, place: int, part: bytes) -> str:
    parts = token.split(".")
    parts[place] = _encoded(part)
    return ".".join(parts)


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
