"""The public keys of an issuer, fetched over HTTPS and cached.

See OpenID Connect Discovery 1.0, section 4, and RFC 7517.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
import jwt
from cryptography.exceptions import UnsupportedAlgorithm

from app.framework.observability.metrics import gauge
from app.framework.observability.outages import note_outage
from app.framework.security import IdentityUnavailable, InvalidToken

FRESH_SECONDS = 600.0
"""After how long keys are fetched again, while those that are there are used."""

KEPT_SECONDS = 24 * 3600.0
"""How long keys are used after the issuer was last reached."""

UNKNOWN_SECONDS = 30.0
"""For how long no key is looked for after one was not there: tokens can name any."""

RETRY_SECONDS = 5.0
"""How often fetching is tried while the issuer cannot be reached."""

ALGORITHMS = frozenset(
    f"{kind}{bits}" for kind in ("ES", "PS", "RS") for bits in (256, 384, 512)
) | {"EdDSA"}
"""Those that are accepted: asymmetric ones, and of a key only its own."""

LIMIT_BYTES = 64 * 1024
TIMEOUT_SECONDS = 2.0

_FETCHED = gauge("jwks_fetched_timestamp_seconds", "When keys were fetched last.", "issuer")


class KeySource(Protocol):
    """An issuer and its keys: see Issuer, which fetches them."""

    @property
    def url(self) -> str:
        """What tokens name it, in `iss`."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why there are no keys; None if there are some."""
        ...

    async def key(self, key_id: str | None) -> jwt.PyJWK:
        """The key of this id; None is the id of an only key.

        Raises:
            InvalidToken: the issuer has no such key.
            IdentityUnavailable: there are no keys of the issuer.

        """
        ...

    async def prefetch(self) -> None:
        """Fetch the keys, if possible."""
        ...

    async def close(self) -> None:
        """Give up a fetch under way."""
        ...


class Unusable(Exception):
    """What an issuer answers cannot be used; the message says why."""


_UNUSABLE = (
    Unusable,
    TimeoutError,
    httpx.HTTPError,
    httpx.InvalidURL,
    ValueError,  # malformed URLs
)
"""What the answers of an issuer can raise: none of it is an error of the service."""


class Issuer:
    """An issuer, and its keys by their ids.

    Keys are fetched when the first token comes, by one request for all callers. Later no caller
    waits for a fetch, except for a key that is not there: a new one, as a rule.
    """

    def __init__(
        self,
        url: str,
        client: httpx.AsyncClient,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`client` follows no redirects and has a timeout: see `http_client`."""
        self.url = url
        self._client = client
        self._clock = clock
        self._keys: Mapping[str | None, jwt.PyJWK] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._missed_at: float | None = None
        self._failure: str | None = "not tried yet"
        self._fetching: asyncio.Task[None] | None = None
        self._trying: asyncio.Task[None] | None = None

    @property
    def trouble(self) -> str | None:
        """Why there are no keys; None if there are some."""
        return None if self._has_keys else self._failure

    @property
    def _has_keys(self) -> bool:
        return self._fetched_at is not None and self._clock() < self._fetched_at + KEPT_SECONDS

    async def key(self, key_id: str | None) -> jwt.PyJWK:
        """The key of this id; None is the id of an only key.

        Raises:
            InvalidToken: the issuer has no such key.
            IdentityUnavailable: it may have one, but it cannot be reached.

        """
        key = self._found(key_id)
        if key is not None:
            if self._is_past(self._fetched_at, FRESH_SECONDS) and self._may_try:
                self._fetch_once()
            return key
        if self._may_look:
            await asyncio.shield(self._fetch_once())
            key = self._found(key_id)
            if key is not None:
                return key
            if self._failure is None:
                self._missed_at = self._clock()
        if self._failure is not None:
            raise IdentityUnavailable(f"{self.url}: {self._failure}")
        raise InvalidToken("Its issuer has no key of the id that it names.")

    async def prefetch(self) -> None:
        """Fetch the keys, if possible; from now on also without a token, while there are none.

        A process without keys is not ready, so that it may get no requests.
        """
        if self._trying is None:
            self._trying = asyncio.create_task(self._try_on(), name="tries for keys")
        await asyncio.shield(self._fetch_once())

    async def close(self) -> None:
        """Give up a fetch under way, and close the client."""
        for task in (self._trying, self._fetching):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        await self._client.aclose()

    async def _try_on(self) -> None:
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            if not self._has_keys and self._may_try:
                await asyncio.shield(self._fetch_once())

    def _found(self, key_id: str | None) -> jwt.PyJWK | None:
        return self._keys.get(key_id) if self._has_keys else None

    def _is_past(self, time: float | None, seconds: float) -> bool:
        return time is None or self._clock() >= time + seconds

    @property
    def _may_try(self) -> bool:
        return self._failure is None or self._is_past(self._tried_at, RETRY_SECONDS)

    @property
    def _may_look(self) -> bool:
        """Whether to look for an unknown key; at once, if the last one was found: keys change."""
        if self._fetching is not None and not self._fetching.done():
            return True
        return self._may_try and self._is_past(self._missed_at, UNKNOWN_SECONDS)

    def _fetch_once(self) -> asyncio.Task[None]:
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch(), name="issuer's keys")
        return self._fetching

    async def _fetch(self) -> None:
        self._tried_at = self._clock()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                self._keys = await self._fetched_keys()
        except _UNUSABLE as error:
            self._failure = str(error) or type(error).__name__
            note_outage(self.url, IdentityUnavailable(f"{self.url}: {self._failure}"))
        else:
            self._fetched_at = self._clock()
            self._failure = None
            _FETCHED.of(self.url).value = time.time()

    async def _fetched_keys(self) -> Mapping[str | None, jwt.PyJWK]:
        found = await self._get(discovery_url(self.url))
        if found.get("issuer") != self.url:
            raise Unusable("its discovery document is of another issuer")
        where = found.get("jwks_uri")
        if not isinstance(where, str) or not is_safe(where):
            raise Unusable("its discovery document names no jwks_uri with https")
        return keys_of(await self._get(where))

    async def _get(self, url: str) -> dict[str, Any]:
        async with self._client.stream("GET", url) as answer:
            if answer.status_code != httpx.codes.OK:
                raise Unusable(f"{urlsplit(url).path} answers {answer.status_code}")
            if "Content-Encoding" in answer.headers:  # a few bytes could be many
                raise Unusable(f"{urlsplit(url).path} is compressed")
            body = b""
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > LIMIT_BYTES:
                    raise Unusable(f"{urlsplit(url).path} is longer than {LIMIT_BYTES} bytes")
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            raise Unusable(f"{urlsplit(url).path} is no JSON") from None
        if not isinstance(found, dict):
            raise Unusable(f"{urlsplit(url).path} is no JSON object")
        return found


def discovery_url(issuer: str) -> str:
    """Where an issuer says what it has (OpenID Connect Discovery 1.0, section 4)."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def http_client() -> httpx.AsyncClient:
    """The HTTP client for issuers: it follows no redirects, and uses a proxy for HTTPS only."""
    return httpx.AsyncClient(
        follow_redirects=False,
        timeout=TIMEOUT_SECONDS,
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        mounts={"http://": None},  # loopback
    )


def is_safe(url: str) -> bool:
    """Whether keys may be fetched here: over HTTPS, or from this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def keys_of(found: Mapping[str, Any]) -> Mapping[str | None, jwt.PyJWK]:
    """The keys of a JWK set that can verify signatures, by their ids.

    Keys of unknown types are left out, as RFC 7517 has it (section 5), and so are those of other
    algorithms, symmetric ones for example, and RSA keys of less than 2,048 bits (RFC 7518, 3.3).

    Raises:
        Unusable: it has none.

    """
    listed = found.get("keys")
    keys: dict[str | None, jwt.PyJWK] = {}
    for each in listed if isinstance(listed, list) else []:
        if not isinstance(each, dict) or each.get("use", "sig") != "sig":
            continue
        try:
            key = jwt.PyJWK.from_dict(each)
        except (
            jwt.PyJWTError,
            UnsupportedAlgorithm,
            LookupError,
            ValueError,
            TypeError,
            NotImplementedError,
        ):
            continue
        is_usable = key.algorithm_name in ALGORITHMS and not key.Algorithm.check_key_length(key.key)
        if is_usable and isinstance(each.get("kid"), str | None):
            keys[each.get("kid")] = key
    if not keys:
        raise Unusable("its JWK set has no key that can verify signatures")
    if len(keys) == 1:
        keys[None] = next(iter(keys.values()))
    return keys
