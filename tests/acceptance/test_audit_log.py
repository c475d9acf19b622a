"""The audit log of a real process, and that nothing it writes has a secret or a personal value."""

import json
from pathlib import Path
from typing import Any

import httpx

from app import IDENTIFIER
from app.adapters.identity import LocalIssuer
from app.cli import main
from tests.acceptance.services import Service

SCOPES = "users:register users:admin users:read:any users:list projections:admin projections:read"
PERSONAL = {
    "name": "Alice Pleasance",
    "email": "alice.pleasance@example.com",
    "bio": "Fell into a burrow",
    "avatar_url": "https://pictures.example.com/pleasance.png",
}
SECRETS = (
    "wonderful-search",
    "key-of-the-request",
    "forged",
    "2031-01-01",
    "Hargreaves",
    "other:scope",
)


def tokens(data_dir: Path) -> tuple[str, str]:
    """A token for nearly everything, and one for nothing."""
    issuer = LocalIssuer(data_dir / "issuer" / "key.pem")
    return (
        issuer.token("administrator", SCOPES.split(), IDENTIFIER),
        issuer.token("visitor", ["other:scope"], IDENTIFIER),
    )


def use(service: Service, token: str, visitor: str) -> None:
    """Send what should be written, and what should not, with secrets in all places."""
    with service.client as client:

        def send(method: str, path: str, status: int, *, by: str = token, **more: Any) -> None:
            headers = {"Authorization": f"Bearer {by}", "Idempotency-Key": "key-of-the-request"}
            answer: httpx.Response = client.request(method, path, headers=headers, **more)
            assert answer.status_code == status, answer.text

        send("POST", "/users", 201, json={"id": "user1", **PERSONAL})
        send("PUT", "/users/user1", 422, json={"name": "Alice Hargreaves"})  # the key is used
        send("PATCH", "/users/user1", 422, json={"email": "Hargreaves"})
        send("GET", "/users", 200, params={"q": "wonderful-search"})
        send("GET", "/users/user1", 422, params={"as_of": "2031-01-01"})
        send("POST", "/admin/projections/user_profiles/pause", 200)
        send("GET", "/users", 403, by=visitor, params={"q": "wonderful-search"})
        send("DELETE", "/users/alice.pleasance@example.com", 401, by="forged")
        send("GET", "/users/user1", 401, by=f"{token}forged")


def test_lines_are_complete_and_nothing_has_a_secret(serve, folder, urls, monkeypatch, capfd):
    """With all that a process can write: at the level debug, and by the command line."""
    service = serve(AUTH="", LOG_LEVEL="debug", LOG_FORMAT="json", ACCESS_LOG="on")
    token, visitor = tokens(folder / "data")
    use(service, token, visitor)
    service.process.terminate()
    output = service.process.stdout.read().decode()
    assert service.await_end() == 0

    for name, value in {**urls, "LOG_LEVEL": "debug"}.items():
        monkeypatch.setenv(name, value)
    assert main(["projections", "resume", "user_profiles"]) == 0
    written = service.log.read_text() + "".join(capfd.readouterr())

    found = [json.loads(each) for each in written.splitlines() if '"app.audit"' in each]
    assert [
        (
            each.get("operation"),
            each["principal"].get("subject"),
            each["resource"],
            each.get("status"),
        )
        for each in found
    ] == [
        ("register_user", "administrator", {"user_id": "user1"}, 201),
        ("put_user", "administrator", {"user_id": "user1"}, 422),
        ("update_user", "administrator", {"user_id": "user1"}, 422),
        ("pause_projection", "administrator", {"name": "user_profiles"}, 200),
        ("list_users", "visitor", {}, 403),
        (None, None, {}, 401),
        ("get_user", None, {}, 401),
        ("resume_projection", "projections", {"name": "user_profiles"}, None),
    ]
    accesses = [json.loads(each) for each in written.splitlines() if '"app.access"' in each]
    assert [(each["principal"], each.get("operation"), each["status"]) for each in accesses] == [
        ("user", "register_user", 201),
        ("user", "put_user", 422),
        ("user", "update_user", 422),
        ("user", "list_users", 200),
        ("user", "get_user", 422),
        ("user", "pause_projection", 200),
        ("user", "list_users", 403),
        ("anyone", None, 401),
        ("anyone", "get_user", 401),
    ]
    leaked = [each for each in (*PERSONAL.values(), *SECRETS) if each in output + written]
    leaked += [each for each in token.split(".") + visitor.split(".") if each in output + written]
    assert leaked == []
