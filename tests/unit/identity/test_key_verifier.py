"""API keys in a process: what is accepted, and for how long after the list was read."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app.adapters.identity import (
    Issuer,
    KeysAndTokens,
    KeyVerifier,
    TokenRules,
    TokenVerifier,
    id_of,
    key_verifier,
    new_key,
)
from app.adapters.identity.key_form import checksum
from app.adapters.memory.api_keys import MemoryKeys
from app.framework.principal import Principal, PrincipalKind
from app.framework.security import IdentityUnavailable, InvalidToken
from app.framework.security.api_keys import KeyList
from tests.following import eventually, until
from tests.unit.identity.issuing import AUDIENCE, NOW, URL, Clock, TestIssuer
from tests.unit.identity.keeping import FailingCopy, FailingKeys, added, stored


@pytest.fixture
def store() -> FailingKeys:
    """The list of keys."""
    return FailingKeys()


@pytest.fixture
def copy() -> FailingCopy:
    """The copy of the list."""
    return FailingCopy()


@pytest.fixture
def clock() -> Clock:
    """The clock by which lists age."""
    return Clock(100.0)


@pytest.fixture
async def verifier(store, copy, clock) -> AsyncIterator[KeyVerifier]:
    """A verifier with both sources, which reads when it is asked."""
    opened = KeyVerifier(store, copy, clock=clock)
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    """What is done at times is done at once."""
    for each in ("REFRESH_SECONDS", "RETRY_SECONDS", "COMPARE_SECONDS", "USE_SECONDS"):
        monkeypatch.setattr(key_verifier, each, 0.001)


async def refusal(verifier: KeyVerifier, key: str) -> str:
    """Why a key is refused."""
    with pytest.raises(InvalidToken) as refused:
        await verifier.authenticate(key)
    assert key not in str(refused.value)
    return str(refused.value)


async def is_refused(verifier: KeyVerifier, key: str) -> bool:
    """Whether a key is refused."""
    try:
        await verifier.authenticate(key)
    except InvalidToken:
        return True
    return False


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


async def test_a_revoked_key_is_refused_once_the_list_is_too_old(verifier, store, clock):
    """A process that slept reads it again before it answers."""
    key = await added(store)
    await verifier.authenticate(key)
    await store.revoke(id_of(key))
    clock.at += key_verifier.KEPT_SECONDS
    assert await refusal(verifier, key) == "It was revoked."


async def test_an_open_verifier_keeps_the_list_up_to_date(store, copy):
    """No request has to come for that."""
    verifier = KeyVerifier(store, copy)
    key = await added(store)
    await verifier.open()
    await verifier.authenticate(key)
    await store.revoke(id_of(key))
    await eventually(lambda: is_refused(verifier, key))
    await verifier.close()


async def test_a_list_that_is_too_old_accepts_nothing(verifier, store, copy, clock):
    """Until it can be read again; nothing waits for that."""
    key = await added(store)
    await verifier.authenticate(key)
    store.is_down = copy.is_down = True
    clock.at += key_verifier.KEPT_SECONDS - 0.1
    await verifier.authenticate(key)
    assert verifier.trouble is None
    clock.at += 0.1
    for _ in range(2):
        with pytest.raises(IdentityUnavailable, match="PostgreSQL is unavailable"):
            await verifier.authenticate(key)
    assert store.reads == 2
    assert verifier.trouble == (
        "PostgreSQL is unavailable: it cannot be reached; MongoDB is unavailable: it cannot be "
        "reached"
    )


async def test_after_an_outage_keys_are_accepted_again(store):
    """By themselves."""
    store.is_down = True
    key = await added(store)
    verifier = KeyVerifier(store, None)
    await verifier.open()
    with pytest.raises(IdentityUnavailable):
        await verifier.authenticate(key)
    store.is_down = False
    await until(lambda: verifier.trouble is None)
    await verifier.authenticate(key)
    await verifier.close()


async def test_the_copy_stands_in_for_the_store(verifier, store, copy):
    """For a process that lost it, and for one that never had it."""
    key = await added(store)
    await copy.write(await stored(store))
    store.is_down = True
    await verifier.authenticate(key)
    await KeyVerifier(None, copy).authenticate(key)


async def test_a_copy_that_is_behind_does_not(verifier, store, copy, clock):
    """A key that the process knows to be revoked stays so."""
    key = await added(store)
    await copy.write(await stored(store))
    await store.revoke(id_of(key))
    assert await refusal(verifier, key) == "It was revoked."
    store.is_down = True
    clock.at += key_verifier.KEPT_SECONDS
    with pytest.raises(IdentityUnavailable, match="the list in memory is not up to date"):
        await verifier.authenticate(key)


async def test_a_list_of_another_log_accepts_nothing(verifier, store, copy, clock, caplog):
    """However new it is: a mistaken MONGODB_URL would let the keys of others in."""
    elsewhere = FailingKeys()
    foreign, own = await added(elsewhere), await added(store)
    await verifier.authenticate(own)
    await copy.write(await elsewhere.renew(above=1000))
    store.is_down = True
    clock.at += key_verifier.KEPT_SECONDS
    for key in (foreign, own):
        with pytest.raises(IdentityUnavailable, match="the list in memory is of another log"):
            await verifier.authenticate(key)
    assert [each for each in caplog.messages if "memory" in each] == [
        "the list in memory is of another log"
    ]


async def test_a_process_without_the_store_accepts_one_log(store, copy, clock):
    """That of the read model; while it names none, that of the first list."""
    elsewhere = FailingKeys()
    foreign, own = await added(elsewhere), await added(store)
    verifier = KeyVerifier(None, copy, clock=clock)
    await copy.write(await stored(store))
    await verifier.authenticate(own)
    await copy.write(await elsewhere.renew(above=1000))
    clock.at += key_verifier.KEPT_SECONDS
    with pytest.raises(IdentityUnavailable, match="the list in memory is of another log"):
        await verifier.authenticate(foreign)
    copy.log = (await stored(store)).log
    with pytest.raises(IdentityUnavailable, match="memory has no list of API keys"):
        await KeyVerifier(None, copy).authenticate(foreign)


async def test_a_copy_of_another_log_is_replaced(store, copy):
    """By a process with both, without an operator, also by an older version."""
    key = await added(store)
    await copy.write(await MemoryKeys().renew(above=1000))
    verifier = KeyVerifier(store, copy)
    await verifier.open()
    await until(lambda: copy._list.version < 1000)
    assert await copy.read() == await stored(store)
    await KeyVerifier(None, copy).authenticate(key)
    await verifier.close()


async def test_without_any_list_nothing_is_said_about_a_key(copy):
    """It may be valid: MongoDB may have been emptied."""
    with pytest.raises(IdentityUnavailable):
        await KeyVerifier(None, copy).authenticate(new_key())


async def test_the_copy_is_kept_up_to_date(store, copy):
    """Also if it was lost, or restored from a backup."""
    await added(store)
    old = await stored(store)
    verifier = KeyVerifier(store, copy)
    await verifier.open()
    for lost in (False, True):
        if lost:
            copy._list = old
        key = await added(store)
        await until(lambda: id_of(key) in {each.id for each in copy._list.keys})  # noqa: B023
    await verifier.close()


async def test_an_unforeseen_error_of_a_comparison_does_not_end_the_refreshing(
    store, copy, clock, monkeypatch
):
    """Else keys would be refused for good after the next outage."""
    await added(store)
    verifier = KeyVerifier(store, copy, clock=clock)

    async def read(*, known: KeyList | None = None) -> None:  # noqa: ARG001 - as the port has it
        raise KeyError("version")

    monkeypatch.setattr(copy, "read", read)
    await verifier.open()
    reads = store.reads
    await until(lambda: store.reads > reads + 2)
    await verifier.close()


async def test_uses_are_saved_and_hold_nothing_up(store, copy, monkeypatch):
    """Of each key once in a while; a failure is tried again."""
    saved: list[set[str]] = []

    async def save_uses(key_ids) -> None:
        saved.append(set(key_ids))
        if len(saved) == 1:
            raise TimeoutError

    monkeypatch.setattr(store, "save_uses", save_uses)
    monkeypatch.setattr(key_verifier, "USE_SECONDS", 60.0)
    used, _ = await added(store), await added(store)
    verifier = KeyVerifier(store, copy)
    await verifier.open()
    for _ in range(5):
        await verifier.authenticate(used)
    await until(lambda: len(saved) == 2)
    await verifier.authenticate(used)
    reads = store.reads
    await until(lambda: store.reads > reads + 2)
    assert saved == [{id_of(used)}] * 2
    await verifier.close()


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
