"""Carries the instructions of a Dockerfile out in folders, where there is no Docker.

Each stage is a copy of one bare root, of the distribution that the Dockerfile's base is made of.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CHROOT = "/usr/sbin/chroot"


@dataclass
class Image:
    """A stage, and at the end what a container of it runs."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0:0"
    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    health: Sequence[str] = ()
    stop_signal: str = ""

    def path(self, name: str) -> Path:
        """Where a path of the image is here."""
        return self.root / os.path.normpath(Path("/", self.folder, name)).lstrip("/")

    def run(self, command: Sequence[str], **outside: str) -> None:
        """Run a command in the root, as the user of the image."""
        subprocess.run(
            [CHROOT, f"--userspec={self.user}", self.root, *command],
            env={**outside, **self.variables, **self.arguments},
            check=True,
        )


class Build:
    """One `docker build`, as far as roots go."""

    def __init__(
        self,
        context: Path,
        base: Path,
        home: Path,
        outside: Mapping[str, str],
        arguments: Mapping[str, str],
    ) -> None:
        """`outside` are variables of RUN by which this machine reaches package registries.

        `arguments` are what `--build-arg` would give.
        """
        self._context, self._base, self._home = context, base, home
        self._outside, self._given = outside, arguments
        self._stages: dict[str, Image] = {}
        self._globals: dict[str, str] = {}
        self._image: Image | None = None

    def run(self) -> tuple[Image, list[str]]:
        """The image of the last stage, and the instructions that were carried out."""
        done = []
        for name, rest in instructions((self._context / "Dockerfile").read_text("utf-8")):
            getattr(self, f"_{name.lower()}", self._refuse)(self._filled_in(name, rest))
            done.append(name)
        assert self._image
        return self._image, done

    @property
    def _stage(self) -> Image:
        assert self._image, "an instruction before FROM"
        return self._image

    def _filled_in(self, name: str, rest: str) -> str:
        if name in {"RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK"}:
            return rest  # the shell fills it in, or nothing does
        of_stage = {**self._stage.arguments, **self._stage.variables} if self._image else {}
        known = self._globals if name == "FROM" else of_stage
        return re.sub(r"\$\{?(\w+)\}?", lambda each: known.get(each[1], ""), rest)

    def _refuse(self, rest: str) -> None:
        raise NotImplementedError(rest)

    def _arg(self, rest: str) -> None:
        name, _, default = rest.partition("=")
        known = self._stage.arguments if self._image else self._globals
        known[name] = self._given.get(name, default)

    def _from(self, rest: str) -> None:
        _base, *named = rest.split()
        name = named[1] if named else "last"
        self._image = Image(self._home / name, variables={"PATH": PATH})
        subprocess.run(["cp", "-a", self._base, self._image.root], check=True)
        self._stages[name] = self._image

    def _env(self, rest: str) -> None:
        self._stage.variables |= dict(each.split("=", 1) for each in shlex.split(rest))

    def _workdir(self, rest: str) -> None:
        self._stage.folder = rest
        self._stage.path("").mkdir(parents=True, exist_ok=True)

    def _copy(self, rest: str) -> None:
        *sources, target = rest.split()
        whence = self._context
        if sources[0].startswith("--from="):
            whence = self._stages[sources.pop(0).removeprefix("--from=")].root
        for each in sources:
            source = whence / each.lstrip("/")
            into = self._stage.path(target) / ("" if not target.endswith("/") else source.name)
            into.parent.mkdir(parents=True, exist_ok=True)
            # As they are: links of the environment lead to the interpreter of the other stage.
            subprocess.run(["cp", "-a", "--no-preserve=ownership", source, into], check=True)

    def _run(self, rest: str) -> None:
        line = f"cd {shlex.quote(self._stage.folder)} && {rest}"
        self._stage.run(["/bin/sh", "-c", line], **self._outside)

    def _user(self, rest: str) -> None:
        self._stage.user = rest

    def _stopsignal(self, rest: str) -> None:
        self._stage.stop_signal = rest

    def _entrypoint(self, rest: str) -> None:
        self._stage.entrypoint = json.loads(rest)

    def _cmd(self, rest: str) -> None:
        self._stage.command = json.loads(rest)

    def _healthcheck(self, rest: str) -> None:
        self._stage.health = json.loads(rest[rest.index("[") :])

    def _label(self, rest: str) -> None:
        """Nothing of it is in the root."""

    _expose = _label


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """The instructions of a Dockerfile, each on one line."""
    lines = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    for line in re.sub(r"\\\n\s*", "", lines).splitlines():
        if line.strip():
            name, rest = line.split(None, 1)
            yield name, rest


def copy_context(source: Path, target: Path) -> None:
    """Copy what .dockerignore does not keep from a build."""
    rules = [
        (each.removeprefix("!").strip("/"), each.startswith("!"))
        for each in (source / ".dockerignore").read_text("utf-8").splitlines()
        if each and not each.startswith("#")
    ]

    def is_taken(path: str) -> bool:
        taken = True
        for pattern, takes in rules:
            if re.match(rf"{_regex(pattern)}(/|$)", path):
                taken = takes
        return taken

    tops = {pattern.split("/")[0] for pattern, takes in rules if takes}
    for file in (each for top in tops for each in _files(source / top)):
        name = str(file.relative_to(source))
        if is_taken(name):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target / name)
    shutil.copy2(source / "Dockerfile", target)


def _files(path: Path) -> Iterator[Path]:
    yield from [path] if path.is_file() else (each for each in path.rglob("*") if each.is_file())


def _regex(pattern: str) -> str:
    parts = {"**/": "(?:.*/)?", "*": "[^/]*"}
    found = re.split(r"(\*\*/|\*)", pattern)
    return "".join(parts.get(each, re.escape(each)) for each in found)
