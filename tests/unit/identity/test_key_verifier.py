"""API keys in a process: which are accepted, as whom, and beside tokens."""

from datetime import timedelta

import pytest

from app.adapters.identity import (
    Issuer,
    KeysAndTokens,
    KeyVerifier,
    TokenRules,
    TokenVerifier,
    id_of,
    new_key,
)
from app.adapters.identity.key_form import checksum
from app.framework.principal import Principal, PrincipalKind
from app.framework.security import InvalidToken
from tests.unit.identity.issuing import AUDIENCE, NOW, URL, Clock, TestIssuer
from tests.unit.identity.keeping import added, refusal

pytestmark = pytest.mark.usefixtures("quick")


async def test_a_key_says_what_it_may_do(verifier, store):
    """It is a principal of its own, and owns nothing."""
    key = await added(store, "users:read:any users:list")
    found = await verifier.authenticate(key)
    assert (found.kind, found.issuer, found.subject) == (PrincipalKind.KEY, "", id_of(key))
    assert found.scopes == {"users:read:any", "users:list"}
    assert (found.user_id, found.expires_at) == (None, None)
    assert found.actor == f"key {id_of(key)}"


async def test_a_key_names_idempotency_keys_of_its_own(verifier, store):
    """Another key, and a user whose subject is the key's id, have others."""
    keys = [await added(store) for _ in range(2)]
    realms = {(await verifier.authenticate(each)).realm for each in keys}
    user = Principal(kind=PrincipalKind.USER, issuer=URL, subject=id_of(keys[0]))
    assert len(realms | {user.realm, ""}) == 4
    assert (await verifier.authenticate(keys[0])).realm in realms


async def test_only_keys_of_the_list_are_accepted(verifier, store):
    """Neither one that was made up, nor a secret under another's id."""
    known = await added(store)
    other = await added(store)
    assert await refusal(verifier, new_key()) == "It is no API key of this service."
    mixed = f"diptych_{id_of(known)}_{other.split('_')[2][:30]}"
    forged = mixed + checksum(mixed)
    assert await refusal(verifier, forged) == "It is no API key of this service."
    assert "character" in await refusal(verifier, known[:-1] + ("0" if known[-1] != "0" else "1"))


async def test_an_expired_key_is_refused(store, copy):
    """From the second at which it expires; the principal says when."""
    now = Clock(0.0)
    verifier = KeyVerifier(store, copy, now=now)
    key = await added(store, valid_for=timedelta(days=1))
    [details] = await store.details()
    now.at = details.expires_at.timestamp() - 1
    assert (await verifier.authenticate(key)).expires_at == details.expires_at.timestamp()
    now.at += 1
    assert await refusal(verifier, key) == "It has expired."


async def test_keys_and_tokens_are_told_by_their_prefix(verifier, store):
    """Each goes to what verifies it, and the trouble is that of the tokens."""
    issuer = TestIssuer()
    rules = TokenRules(audiences=[AUDIENCE])
    tokens = TokenVerifier([Issuer(URL, issuer.client)], rules, clock=Clock(NOW))
    both = KeysAndTokens(verifier, tokens)
    key = await added(store)
    assert both.trouble is not None
    await both.open()
    assert both.trouble is None
    assert (await both.authenticate(key)).kind is PrincipalKind.KEY
    assert (await both.authenticate(issuer.token())).subject == "alice"
    store.is_down = True
    assert (await both.authenticate(issuer.token())).subject == "alice"
    for odd in ("Diptych_0", "", f"x{key}"):
        with pytest.raises(InvalidToken, match="It is not a JWT"):
            await both.authenticate(odd)
    await both.close()


async def test_where_only_keys_are_taken_a_token_is_refused(verifier):
    """Of any issuer."""
    assert "API key" in await refusal(verifier, TestIssuer().token())
