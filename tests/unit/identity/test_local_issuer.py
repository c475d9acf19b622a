"""The issuer of development, and the tokens that it makes."""

import stat
from pathlib import Path

import pytest

from app.adapters.identity import LocalIssuer, UnusableKey
from app.bootstrap import ADMINISTRATOR, all_scopes, authenticator_of, development_token
from app.framework.principal import PrincipalKind
from app.framework.security import InvalidToken
from app.host.settings import Settings
from app.main import create_app

MODES = [0o640, 0o604, 0o660]


@pytest.fixture
def settings(tmp_path) -> Settings:
    """Those of a service that is its own issuer."""
    return Settings.load(
        data_dir=tmp_path / "data", database_url="postgresql://db/x", mongodb_url="mongodb://db"
    )


@pytest.fixture
def key(settings):
    """The file of the key, which need not be there."""
    return settings.data_dir / "issuer" / "key.pem"


async def test_the_administrators_token_allows_everything(settings):
    """Every scope that a policy names."""
    principal = await authenticator_of(settings).authenticate(development_token(settings))
    assert (principal.kind, principal.subject) == (PrincipalKind.USER, ADMINISTRATOR)
    assert principal.scopes == all_scopes()
    assert {"users:admin", "changes:read", "projections:admin", "log:read"} <= all_scopes()


async def test_a_token_has_the_subject_and_the_scopes_that_were_asked_for(settings):
    """The profile of the subject is its own, under its own name."""
    token = development_token(settings, "alice", ["users:read"])
    principal = await authenticator_of(settings).authenticate(token)
    assert (principal.subject, principal.user_id) == ("alice", "alice")
    assert principal.scopes == {"users:read"}


async def test_a_token_is_nothing_where_another_key_is(settings, tmp_path):
    """Each data directory has one of its own."""
    other = settings.model_copy(update={"data_dir": tmp_path / "other"})
    with pytest.raises(InvalidToken, match="signature"):
        await authenticator_of(settings).authenticate(development_token(other))


def test_the_key_is_its_owners_alone(settings, key):
    """No other account can make tokens; the key is the same at the next call."""
    development_token(settings)
    made = key.read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert [*key.parent.iterdir()] == [key]
    development_token(settings)
    assert key.read_bytes() == made


def test_nothing_is_made_before_it_is_needed(settings):
    """The document of the API, for one, depends on no file."""
    create_app(settings).openapi()
    assert not settings.data_dir.exists()


@pytest.mark.parametrize("mode", MODES)
def test_a_key_that_others_may_read_is_refused(settings, key, mode):
    """They may have made tokens with it; the line names the setting and the file."""
    development_token(settings)
    key.chmod(mode)
    with pytest.raises(UnusableKey, match=rf"^DATA_DIR: others may read {key}, .*\.?$"):
        development_token(settings)


@pytest.mark.parametrize(
    "content",
    [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"],
    ids=["empty", "damaged"],
)
def test_a_damaged_key_is_named(settings, key, content):
    """In one line, with what to do."""
    development_token(settings)
    key.write_bytes(content)
    with pytest.raises(UnusableKey, match=rf"^DATA_DIR: {key} is no key for ES256; remove it"):
        development_token(settings)


async def test_a_key_that_cannot_be_made_is_named_at_the_start(settings):
    """Else the first request would say so."""
    settings.data_dir.write_text("no folder")
    with pytest.raises(UnusableKey, match=rf"^DATA_DIR: {settings.data_dir}"):
        await authenticator_of(settings).open()


async def test_the_first_of_several_makers_makes_the_key(monkeypatch, key):
    """Two processes that start together and find none use one."""
    await LocalIssuer(key).prefetch()
    made = key.read_bytes()
    monkeypatch.setattr(Path, "exists", lambda _: False)
    await LocalIssuer(key).prefetch()
    assert key.read_bytes() == made
    assert [*key.parent.iterdir()] == [key]
