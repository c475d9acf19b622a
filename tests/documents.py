"""What the documentation shows, for the tests that carry it out."""

import argparse
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

_PARTS = re.compile(
    r"^\*\*`(?P<path>[^`]+)`\*\*$|^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?Z"
_LEFT_OUT = "..."
_PIECES = re.compile(rf"({_TIME}|{re.escape(_LEFT_OUT)})")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: of which kind it is, and of which file, if one was named before."""

    path: str
    kind: str
    text: str


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page. A path in bold letters on a line of its own names their file."""
    path = ""
    for each in _PARTS.finditer(page):
        if each["path"]:
            path = each["path"]
        else:
            yield Block(path, each["kind"], each["text"])


def exchanges(console: str) -> Iterator[tuple[str, str]]:
    """The commands of a block of the kind `console`, and what it shows of their output."""
    before, *entered = re.split(r"^\$ ", console, flags=re.MULTILINE)
    assert entered, f"a console without a command:\n{before}"
    for each in entered:
        command, _, shown = each.replace("\\\n", "").partition("\n")
        yield command, shown.strip("\n")


class Curl:
    """A call of curl, of which few options are known here."""

    def __init__(self, command: str) -> None:
        parser = argparse.ArgumentParser(prog="curl")
        parser.add_argument("-X", dest="method")
        parser.add_argument("-H", dest="headers", action="append", default=[])
        parser.add_argument("-d", dest="content")
        parser.add_argument("-i", dest="head", action="store_true")
        parser.add_argument("-I", dest="head_only", action="store_true")
        parser.add_argument("-N", dest="unbuffered", action="store_true")
        parser.add_argument("url")
        program, *arguments = shlex.split(command)
        assert program == "curl"
        self._options = parser.parse_args(arguments)

    def request(self, client: httpx.Client | httpx.AsyncClient) -> httpx.Request:
        """The request that it makes."""
        given, has_content = self._options, self._options.content is not None
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if has_content else {}
        headers |= dict(each.split(": ", 1) for each in given.headers)
        method = "HEAD" if given.head_only else "POST" if has_content else "GET"
        method = given.method or method
        return client.build_request(method, given.url, headers=headers, content=given.content)

    def head(self, answer: httpx.Response, shown: str) -> str:
        """What it prints of the head, here without headers not in `shown`: with -i or -I."""
        if not (self._options.head or self._options.head_only):
            return ""
        names = {line.partition(": ")[0] for line in shown.partition("\n\n")[0].split("\n")}
        headers = [f"{name}: {value}" for name, value in answer.headers.items() if name in names]
        status = f"{answer.http_version} {answer.status_code} {answer.reason_phrase}"
        return "\n".join([status, *headers, "", ""])


class Comparison:
    """Holds what came against what a page shows.

    `...` on the page stands for anything within a line. Times are the machine's: one that is
    shown for the first time stands for the one that came in its place, there and from then on.
    """

    def __init__(self) -> None:
        self._times: dict[str, str] = {}

    def meant(self, command: str) -> str:
        """`command` with the times that came instead of those shown."""
        return _PIECES.sub(lambda found: self._times.get(found[0], found[0]), command)

    def holds(self, shown: str, came: str) -> bool:
        """Whether `came` is what `shown` says."""
        groups: dict[str, str] = {}
        found = re.fullmatch(
            "".join(self._pattern(each, groups) for each in _PIECES.split(shown)), came
        )
        if found:
            self._times |= {time: found[group] for time, group in groups.items()}
        return found is not None

    def _pattern(self, piece: str, groups: dict[str, str]) -> str:
        if piece == _LEFT_OUT:
            return ".*?"
        if piece in self._times or not re.fullmatch(_TIME, piece):
            return re.escape(self._times.get(piece, piece))
        if piece in groups:
            return f"(?P={groups[piece]})"
        groups[piece] = f"time_{len(groups)}"
        return f"(?P<{groups[piece]}>{_TIME})"
