"""The list of API keys in a process: where it is read from, how often, and until when it counts."""

import pytest

from app.adapters.identity import KeyVerifier, id_of, key_verifier, new_key
from app.adapters.memory.api_keys import MemoryKeys
from app.framework.security import IdentityUnavailable, InvalidToken
from app.framework.security.api_keys import KeyList
from tests.following import eventually, until
from tests.unit.identity.keeping import FailingKeys, added, refusal, stored

pytestmark = pytest.mark.usefixtures("quick")


async def is_refused(verifier: KeyVerifier, key: str) -> bool:
    """Whether a key is refused."""
    try:
        await verifier.authenticate(key)
    except InvalidToken:
        return True
    return False


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
