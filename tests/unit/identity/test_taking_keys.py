"""By which settings API keys are accepted: alone, beside tokens, or not at all."""

import pytest

from app.adapters.identity import KeysAndTokens, KeyVerifier
from app.bootstrap import all_scopes, authenticator_of
from app.host.settings import InvalidSettings, Settings

ISSUER = {"auth_issuers": "https://login.example.com", "auth_audiences": "users"}


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, KeysAndTokens),
        (ISSUER, KeysAndTokens),
        ({**ISSUER, "host": "0.0.0.0"}, KeysAndTokens),
        ({"auth": "keys"}, KeyVerifier),
        ({"auth": "keys", "host": "0.0.0.0"}, KeyVerifier),
        ({"auth": "none"}, type(None)),
    ],
)
def test_keys_are_accepted_wherever_requests_are_authenticated(given, kind, tmp_path):
    """Beside tokens, or alone if that is spelled out."""
    settings = Settings.load(data_dir=tmp_path, **given)
    assert type(authenticator_of(settings)) is kind
    assert settings.authenticates == (kind is not type(None))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"host": "0.0.0.0"}, "or set AUTH=keys for API keys alone"),
        ({**ISSUER, "auth": "keys"}, "AUTH: keys takes API keys alone, but AUTH_ISSUERS is set"),
    ],
)
def test_what_is_not_clear_is_refused(given, said):
    """Keys alone never follow from a variable that is missing."""
    with pytest.raises(InvalidSettings) as refused:
        Settings.load(**given)
    [line] = str(refused.value).splitlines()
    assert said in line


def test_the_scopes_are_those_of_all_policies():
    """Of every context and of administration."""
    assert {"users:admin", "users:register", "changes:read", "projections:admin"} <= all_scopes()
