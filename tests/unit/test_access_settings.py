"""The settings that say who may use the service."""

from itertools import product

import pytest

from app.host.settings import InvalidSettings, Settings

ISSUER = {"auth_issuers": "https://login.example.com", "auth_audiences": "users"}


@pytest.mark.parametrize(
    ("given", "variable"),
    [
        ({"auth": "None"}, "AUTH"),
        ({"auth": "off"}, "AUTH"),
        ({"auth": "none", "host": "0.0.0.0"}, "AUTH"),
        ({"auth": "none", **ISSUER}, "AUTH"),
        ({"auth": "none-anywhere", "host": "0.0.0.0", **ISSUER}, "AUTH"),
        ({"host": "0.0.0.0"}, "AUTH_ISSUERS"),
        ({"host": "::"}, "AUTH_ISSUERS"),
        ({"host": "10.0.0.7"}, "AUTH_ISSUERS"),
        ({"host": "users.example.com"}, "AUTH_ISSUERS"),
        ({"host": "/run/diptych.sock"}, "AUTH_ISSUERS"),
        ({"auth_issuers": "https://login.example.com"}, "AUTH_AUDIENCES"),
        ({"auth_audiences": "users"}, "AUTH_AUDIENCES"),
        ({"auth": "none", "auth_audiences": "users"}, "AUTH_AUDIENCES"),
        ({"auth_token_types": "JWT"}, "AUTH_TOKEN_TYPES"),
        ({"auth_scope_claims": "roles"}, "AUTH_SCOPE_CLAIMS"),
        ({"auth": "keys", "auth_user_id_claim": "email"}, "AUTH_USER_ID_CLAIM"),
        ({"auth": "none", "auth_user_id_claim": "email"}, "AUTH_USER_ID_CLAIM"),
        ({**ISSUER, "auth_audiences": ","}, "AUTH_AUDIENCES"),
        ({**ISSUER, "auth_token_types": " , "}, "AUTH_TOKEN_TYPES"),
        *(
            ({**ISSUER, "auth_issuers": each}, "AUTH_ISSUERS")
            for each in [
                ",",
                "login.example.com",
                "http://login.example.com",
                "https://login.example.com,http://10.0.0.7/realms/users",
                "https://",
                "https:///realms/users",
                "https://[::1",
                "https://login.example.com:99999",
                "https://login.example.com:0",
                "https://login.example.com?realm=users",
                "https://login.example.com#users",
                "https://one.example.com;https://two.example.com",
                "https://one.example.com https://two.example.com",
                "https://admin:secret@login.example.com",
            ]
        ),
    ],
)
def test_authentication_that_is_not_clear_is_refused(given, variable):
    """In one line that names the variable, without what may be a password."""
    with pytest.raises(InvalidSettings) as caught:
        Settings.load(**given)
    [line] = str(caught.value).splitlines()
    assert line.startswith(f"{variable}: ")
    assert "secret" not in line


@pytest.mark.parametrize(
    "issuer",
    [
        "https://login.example.com/",
        "https://login.example.com:8443/realms/users",
        "http://127.0.0.1:8080/realms/users",
        "http://localhost:8080",
        "http://[::1]:8080",
    ],
)
def test_issuers_are_urls_of_https_or_of_this_machine(issuer):
    """They are kept as they are given, as tokens have to name them."""
    settings = Settings.load(host="0.0.0.0", auth_issuers=issuer, auth_audiences="users")
    assert settings.auth_issuers == {issuer}
    assert not settings.has_own_issuer


def test_no_settings_open_the_service_by_an_oversight():
    """Of all combinations those are accepted that say one thing, and they say it clearly."""
    choices = {
        "auth": ["", "none", "none-anywhere"],
        "host": ["", "localhost", "127.0.0.2", "::1", "0.0.0.0", "users.example.com"],
        "auth_issuers": ["", "https://login.example.com"],
        "auth_audiences": ["", "users"],
        "auth_token_types": ["", "at+jwt", "JWT"],
    }
    accepted, refusals = 0, set()
    for values in product(*choices.values()):
        try:
            settings = Settings.load(**dict(zip(choices, values, strict=True)))
        except InvalidSettings as error:
            refusals.add(str(error).partition(":")[0].lower())
            continue
        accepted += 1
        kinds = {
            "own": settings.has_own_issuer and settings.is_local,
            "issuers": bool(settings.auth_issuers and settings.auth_audiences),
            "none": settings.auth == "none" and settings.is_local,
            "anywhere": settings.auth == "none-anywhere",
        }
        assert sum(kinds.values()) == 1, values
    assert refusals == choices.keys() - {"host"}
    # Issuers on all hosts with any types; own and none on four hosts, anywhere on six, with the
    # default of the types only, given or not.
    assert accepted == 6 * 3 + (4 + 4 + 6) * 2


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("AUTH_ISSUER", "AUTH_ISSUERS"),
        ("AUTH_AUDIENCE", "AUTH_AUDIENCES"),
        ("AUTH_TOKEN_TYPE", "AUTH_TOKEN_TYPES"),
        ("auth_user_id_claims", "AUTH_USER_ID_CLAIM"),
    ],
)
def test_a_misspelt_variable_is_refused(monkeypatch, tmp_path, name, meant):
    """In the file as well: a default in its place could let in others than meant."""
    said = rf"^{name.upper()}: no such setting; {meant} is one\.$"
    with monkeypatch.context() as patch:
        patch.setenv(name, "users")
        with pytest.raises(InvalidSettings, match=said):
            Settings.load()
    (tmp_path / "env").write_text(f"{name}=users\n")
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / "env")
    with pytest.raises(InvalidSettings, match=said):
        Settings.load()


def test_variables_of_others_are_left_alone(monkeypatch):
    """An orchestrator sets some for each of its services, which may have the name auth."""
    for each in ("AUTH_SERVICE_HOST", "AUTH_PORT", "AUTH_PORT_80_TCP_ADDR", "AUTH_SECRET"):
        monkeypatch.setenv(each, "x")
    assert Settings.load().has_own_issuer
