"""`token`: prints a token of development, or says why there is none."""

import jwt
import pytest

from app.bootstrap import all_scopes
from app.cli import main


@pytest.fixture(autouse=True)
def _data_dir(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))


def claims_of(printed: str) -> dict[str, object]:
    """The claims of a token, which is all that was printed."""
    [token] = printed.splitlines()
    return jwt.decode(token, options={"verify_signature": False})


@pytest.mark.parametrize(
    ("arguments", "subject", "scopes"),
    [
        ([], "administrator", all_scopes()),
        (["--subject", "alice"], "alice", all_scopes()),
        (["--scope", "users:list"], "administrator", {"users:list"}),
        (
            ["--subject", "a b", "--scope", " users:read  users:write "],
            "a b",
            {"users:read", "users:write"},
        ),
        (["--scope", ""], "administrator", set()),
    ],
)
def test_only_the_token_is_printed(capsys, arguments, subject, scopes):
    """So that a command of a shell can take it; without options it allows everything."""
    assert main(["token", *arguments]) == 0
    printed = capsys.readouterr()
    claims = claims_of(printed.out)
    assert (claims["sub"], set(str(claims["scope"]).split())) == (subject, scopes)
    assert printed.err == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--scope", "users:raed"],
            "Invalid value: there is no scope users:raed, but ",
        ),
        (["--subject", ""], "Invalid value: a subject has 1 to 255 visible characters. "),
        (["--subject", "a\nb"], "Invalid value: a subject has 1 to 255 visible characters. "),
        (["--subject", "x" * 256], "Invalid value: a subject has 1 to 255 visible characters. "),
    ],
)
def test_what_no_token_may_have_is_refused(capsys, arguments, said):
    """A misspelt scope would only show in a 403."""
    assert main(["token", *arguments]) == 2
    printed = capsys.readouterr()
    [line] = printed.err.splitlines()
    assert line.startswith(said)
    assert printed.out == ""


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"AUTH": "none"}, "AUTH: none, so the service takes no token of its own"),
        (
            {"AUTH": "none-anywhere"},
            "AUTH: none-anywhere, so the service takes no token of its own",
        ),
        (
            {"AUTH_ISSUERS": "https://login.example.com", "AUTH_AUDIENCES": "users"},
            "AUTH_ISSUERS: set, so tokens are those of https://login.example.com alone",
        ),
    ],
)
def test_where_it_would_be_nothing_there_is_none(capsys, monkeypatch, tmp_path, variables, said):
    """One line names the setting, and no key is made."""
    for each in variables.items():
        monkeypatch.setenv(*each)
    assert main(["token"]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"{said}\n")
    assert [*tmp_path.iterdir()] == []


def test_a_key_that_cannot_be_used_is_one_line(capsys, tmp_path):
    """It names the setting."""
    (tmp_path / "issuer").write_text("no folder")
    assert main(["token"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"DATA_DIR: {tmp_path / 'issuer'}: File exists\n"
