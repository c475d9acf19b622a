"""Which databases a command is on: those of the URLs, or embedded ones, but never one of each."""

import pytest

from app.cli import main

URLS = {
    "DATABASE_URL": "postgresql://127.0.0.1:1/nothing",
    "MONGODB_URL": "mongodb://127.0.0.1:1/?timeoutMS=1",
}

ON_BOTH = (
    ["serve", "--port", "0"],
    ["projections", "pause", "users"],
    ["projections", "verify"],
    ["keys", "create", "--name", "a", "--scope", "users:list"],
    ["keys", "revoke", "0123456789"],
    ["keys", "sync"],
)

ON_POSTGRESQL = (["migrate"], ["export", "log.jsonl"], ["keys", "list"])


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def refusal(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    """The line by which a command refuses to start; its other lines are of the audit log."""
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    [line] = [each for each in printed.err.splitlines() if not each.startswith("{")]
    return line


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        *((each, missing) for each in ON_BOTH for missing in URLS),
        *((each, "DATABASE_URL") for each in ON_POSTGRESQL),
    ],
    ids=str,
)
def test_no_embedded_server_stands_in_beside_a_real_one(
    capsys, monkeypatch, tmp_path, arguments, missing
):
    """What is done there would be done nowhere that counts, and said to be done."""
    [given] = URLS.keys() - {missing}
    monkeypatch.setenv(given, URLS[given])
    line = refusal(capsys, arguments)
    assert line.startswith(f"{missing}: not set, but {given} is")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("role", ["commands", "queries"])
def test_the_role_of_a_host_changes_nothing(capsys, monkeypatch, role):
    """A host with one database has the URL of that one; keys and comparisons need both."""
    monkeypatch.setenv("ROLES", role)
    given, missing = ("DATABASE_URL", "MONGODB_URL") if role == "commands" else reversed([*URLS])
    monkeypatch.setenv(given, URLS[given])
    for arguments in (["keys", "revoke", "0123456789"], ["projections", "verify"]):
        assert refusal(capsys, arguments).startswith(f"{missing}: not set, ")


@pytest.mark.parametrize(
    ("given", "roles", "arguments"),
    [
        ("DATABASE_URL", "commands,queries,projector", ["migrate"]),
        ("DATABASE_URL", "commands,queries,projector", ["keys", "list"]),
        ("DATABASE_URL", "commands", ["serve", "--port", "0"]),
        ("MONGODB_URL", "queries", ["serve", "--port", "0"]),
        ("MONGODB_URL", "queries", ["projections"]),
    ],
    ids=str,
)
def test_what_needs_one_database_is_content_with_its_url(
    capsys, monkeypatch, tmp_path, given, roles, arguments
):
    """It goes there, and starts nothing."""
    monkeypatch.setenv("ROLES", roles)
    monkeypatch.setenv(given, URLS[given])
    assert main(arguments) == 1
    name = {"DATABASE_URL": "PostgreSQL", "MONGODB_URL": "MongoDB"}[given]
    assert name in capsys.readouterr().err.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []
