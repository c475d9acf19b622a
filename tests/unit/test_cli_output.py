"""What commands print and ask, on a terminal and off it."""

import json
from datetime import UTC, datetime

import pytest
from rich.text import Text

from app.cli.confirming import NotConfirmed, confirm
from app.cli.output import Cell, print_json, print_table
from tests.terminals import terminal

HEADINGS = ("NAME", "LAG", "STATE")
ROWS: list[tuple[Cell, ...]] = [
    ("profiles", 1234, Text("running", style="green")),
    ("a", None, "stopped: gone"),
]


PLAIN = "NAME      LAG   STATE\nprofiles  1234  running\na         ?     stopped: gone\n"


def test_a_table_off_a_terminal_is_plain_and_aligned(capsys):
    """A line a row, which programs can split at spaces."""
    print_table(HEADINGS, ROWS)
    assert capsys.readouterr().out == PLAIN


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_table_is_plain_where_the_user_says_so(setting):
    """Or the terminal knows no styles."""
    with terminal("stdout", **setting) as shown:
        print_table(HEADINGS, ROWS)
        assert shown.text() == PLAIN


def test_a_table_on_a_terminal_has_styles():
    """The headings are bold, numbers end at the right, and a cell has the style it was given."""
    with terminal("stdout") as shown:
        print_table(HEADINGS, ROWS)
        text = shown.text()
    assert "\x1b[1mNAME    \x1b[0m" in text
    assert "\x1b[32mrunning" in text
    assert " profiles   1234 " in text
    assert " a             ? " in text


def test_a_narrow_terminal_folds_the_last_column_alone():
    """Names and numbers stay whole."""
    with terminal("stdout", COLUMNS="30") as shown:
        print_table(HEADINGS, [("user_profiles", 1234, "stopped: " + "word " * 9)])
        text = shown.text()
    assert " user_profiles   1234 " in text
    assert text.count("word") == 9


def test_forced_colours_do_not_reach_programs(capsys, monkeypatch):
    """A table that is piped stays plain."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    print_table(HEADINGS, ROWS)
    assert capsys.readouterr().out == PLAIN


def test_a_table_without_rows_has_its_headings():
    """On a terminal, too."""
    with terminal("stdout") as shown:
        print_table(HEADINGS, [])
        assert "STATE" in shown.text()


@pytest.mark.parametrize("no_color", ["", "1"])
def test_text_from_elsewhere_moves_no_terminal(no_color):
    """Neither control characters nor what looks like markup is carried out."""
    with terminal("stdout", NO_COLOR=no_color) as shown:
        print_table(("KEY", "ERROR"), [("a\nb", Text("\x1b[31m[bold]no[/bold] :smile:"))])
        text = shown.text()
    assert "a\\nb" in text
    assert "\\x1b[31m[bold]no[/bold] :smile:" in text


def test_a_document_is_json_with_times_as_in_the_api(capsys):
    """Nothing else is printed, and every encoding has its characters."""
    at = datetime(2026, 3, 14, 9, 26, 53, 589793, UTC)
    print_json({"key": "Zoë", "at": at, "none": None})
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert json.loads(printed) == {"key": "Zoë", "at": "2026-03-14T09:26:53.589793Z", "none": None}


@pytest.mark.parametrize("answer", ["y", "yes", " Y "])
def test_a_yes_confirms(answer):
    """The question is on standard error: standard output is for results."""
    with terminal("stdin", "stderr") as shown:
        shown.type(f"{answer}\n")
        confirm("Delete build 3?", yes=False)
        assert shown.text() == "Delete build 3? [y/N] "


@pytest.mark.parametrize("answer", ["", "n", "what", "yesterday"])
def test_any_other_answer_does_not(answer):
    """The exit status is 1."""
    with terminal("stdin", "stderr") as shown:
        shown.type(f"{answer}\n")
        with pytest.raises(NotConfirmed, match=r"^Nothing was changed\.$") as caught:
            confirm("Delete build 3?", yes=False)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("streams", [("stdin",), ("stderr",), ()])
def test_without_a_terminal_the_option_is_needed(streams):
    """The exit status is 2, and the line names the option."""
    with terminal(*streams):
        with pytest.raises(
            NotConfirmed, match=r"^Delete build 3\? There is no .*--yes\.$"
        ) as caught:
            confirm("Delete build 3?", yes=False)
        assert caught.value.exit_code == 2
        confirm("Delete build 3?", yes=True)
