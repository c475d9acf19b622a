"""docs/api.md is carried out from top to bottom, on a service that has just been started."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx

from tests.acceptance.relay import Relay
from tests.acceptance.services import ROOT, await_that
from tests.documents import Block, Comparison, Curl, blocks, exchanges

GUIDE = [*blocks((ROOT / "docs/api.md").read_text(encoding="utf-8"))]
PROGRAMS = {each.path: each for each in GUIDE if each.kind == "python"}
ADDRESS = "http://127.0.0.1:8000"
INTERRUPT = "^C"
SILENT_SECONDS = 10  # less than pass between two heartbeats of a stream
PROGRAM_SECONDS = 30
ENVIRONMENT = {**os.environ, "PYTHONUNBUFFERED": "1", "NO_PROXY": "*", "no_proxy": "*"}


class Session:
    """Somebody who does what the page says, with the service at `url` and files in `folder`."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self._comparison = Comparison()

    def save(self, program: Block) -> None:
        """Make the file of a program."""
        text = program.text.replace(ADDRESS, self._url)
        (self._folder / program.path).write_text(text, encoding="utf-8")

    def enter(self, command: str, shown: str) -> None:
        """Enter a command, and see that what it prints is what the page shows.

        If that is ended by Ctrl-C, so is the command, once it has printed all of the rest.
        """
        expected = shown.removesuffix(INTERRUPT).strip("\n")
        printed = ""
        with self._run(self._comparison.meant(command), shown) as output:
            for each in output:
                printed += each
                if shown.endswith(INTERRUPT) and self._is_like(expected, printed):
                    break
        assert self._is_like(expected, printed), f"$ {command}\n{printed}\n\nshown:\n\n{shown}"

    def _is_like(self, expected: str, printed: str) -> bool:
        return self._comparison.holds(expected, printed.strip("\n"))

    def _run(self, command: str, shown: str) -> contextlib.AbstractContextManager[Iterable[str]]:
        program, *arguments = command.split()
        if program == "python":
            return self._run_python(arguments)
        return self._run_curl(Curl(command.replace(ADDRESS, self._url)), shown)

    @contextlib.contextmanager
    def _run_curl(self, curl: Curl, shown: str) -> Iterator[Iterable[str]]:
        with httpx.Client(trust_env=False, timeout=SILENT_SECONDS) as client:
            request = curl.request(client)
            with contextlib.closing(client.send(request, stream=True)) as answer:
                yield _until_silence(curl.head(answer, shown), answer)

    @contextlib.contextmanager
    def _run_python(self, arguments: list[str]) -> Iterator[Iterable[str]]:
        with subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self._folder,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            timer = threading.Timer(PROGRAM_SECONDS, process.kill)
            timer.start()
            try:
                assert process.stdout
                yield process.stdout
            finally:
                timer.cancel()
                process.kill()


def _until_silence(head: str, answer: httpx.Response) -> Iterator[str]:
    yield head
    with contextlib.suppress(httpx.ReadTimeout):
        yield from answer.iter_text()


def have_followed(client: httpx.Client) -> bool:
    """Whether the views hold all that was written, as they do by the next command of a person."""
    return all(each["lag"] == 0 for each in client.get("/projections").json()["items"])


def test_everything_is_as_the_page_shows(serve, folder):
    """Each program is saved, each command entered, and all of them answer what is shown."""
    service = serve(CONSISTENCY_TIMEOUT="0.2")
    session = Session(service.url, folder)
    with service.client as client:
        for block in GUIDE:
            if block.kind == "python":
                session.save(block)
                continue
            assert block.kind == "console", "an example that is of no kind that is carried out"
            for command, shown in exchanges(block.text):
                session.enter(command, shown)
                await_that(lambda: have_followed(client), "the views did not follow")


async def test_the_follower_breaks_lines_at_line_feeds_only(folder):
    """JSON may hold U+2028 as it is, and a stream may pass it on so."""
    change = {"position": 1, "user_id": "bob\u2028\u0085", "type": "UserRegistered"}
    data = json.dumps(change, ensure_ascii=False)

    async def stream(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"
        writer.write(f"{head}id: 1\ndata: {data}\n\n".encode())
        await asyncio.wait_for(writer.wait_closed(), PROGRAM_SECONDS)

    async with await asyncio.start_server(stream, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        session = Session(f"http://127.0.0.1:{port}", folder)
        session.save(PROGRAMS["follow.py"])
        shown = f"1 {change['user_id']} UserRegistered\n^C"
        await asyncio.to_thread(session.enter, "python follow.py", shown)


async def test_the_programs_get_over_a_connection_that_breaks(serve, folder):
    """A write whose answer is lost is done once; a reader cut off amid a change goes on with it."""
    service = serve()

    async def run(path: str, *, until: bytes, prints: str) -> None:
        relay = Relay(service.url, until)
        async with relay.listening():
            session = Session(relay.url, folder)
            session.save(PROGRAMS[path])
            await asyncio.to_thread(session.enter, f"python {path}", prints)
        assert relay.has_hung_up

    await run("retry.py", until=b"HTTP/1.1 201", prints="201 Bob Stone")
    with service.client as client:
        for name in ("Bob Hill", "Bob Lake"):
            assert client.patch("/users/bob", json={"name": name}).is_success
    told = "1 bob UserRegistered\n2 bob UserNameChanged\n3 bob UserNameChanged\n^C"
    await run("follow.py", until=b'"position":2', prints=told)
