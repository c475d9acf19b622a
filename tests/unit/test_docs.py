"""The documentation agrees with the code, as far as a program can tell."""

import re
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from app.adapters.postgres.revision import REVISION_TABLE
from app.bootstrap import authenticator_of, development_token
from app.host.settings import Settings
from app.main import NO_AUTHENTICATION
from tests.docs_tables import PAGES as PAGES_WITH_TABLES
from tests.docs_tables import all_metrics, with_tables
from tests.documents import Comparison, Curl, blocks, exchanges
from tests.guide import PAGES as GUIDE
from tests.unit.api.service import MemoryService, application

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
ADRS = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
PAGES = [
    README,
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
# What these pages name is made by their own blocks, which a test of their own carries out.
WITHOUT_CODE_OF_ITS_OWN = [each for each in PAGES if each.name not in GUIDE]
SOURCES = (
    "app/**/*.js",
    "app/**/*.py",
    "alembic/**/*.py",
    "benchmarks/**/*.py",
    "deploy/**/*.yaml",
    "Dockerfile",
    "Makefile",
    "compose.yaml",
    "pyproject.toml",
    ".env.example",
)

OF_OTHERS = {
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SERVICE_NAME",
    "client_tls_sslmode",
    "max_connections",
    "pg_ctl",
    "pg_dump",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "readWrite",
    "requestedAccessTokenVersion",
    "rfc9068",
    "server_tls_sslmode",
    "synchronous_commit",
    "tlsCAFile",
    "tracestate",
    "tlsCertificateKeyFile",
}

LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
QUOTED = re.compile(r"`([^`\n]+)`")
NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(\(\))?")
BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def name_of(page: Path) -> str:
    """What a page is called in the names of tests."""
    return str(page.relative_to(ROOT))


def quoted_in(page: Path) -> list[str]:
    """What stands in backticks in the text, blocks of code aside."""
    return QUOTED.findall(BLOCK.sub("", page.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def words() -> set[str]:
    """Every word of the code and of the configuration, and what the code puts together."""
    files = [each for pattern in SOURCES for each in ROOT.glob(pattern)]
    text = "\n".join(each.read_text(encoding="utf-8") for each in files)
    of_histograms = ("", "_bucket", "_count", "_sum")
    metrics = {f"{it.name}{each}" for it in all_metrics() for each in of_histograms}
    return {*re.findall(r"\w+", text), REVISION_TABLE, *metrics}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    """Each file that is linked to is there."""
    links = LINK.findall(BLOCK.sub("", page.read_text(encoding="utf-8")))
    assert [each for each in links if not (page.parent / each).exists()] == []


@pytest.mark.parametrize("page", WITHOUT_CODE_OF_ITS_OWN, ids=name_of)
def test_files_that_are_named_are_there(page):
    """Each path in backticks is one of the project."""
    rooms = re.compile(r"(app|alembic|benchmarks|tests|docs)/")
    paths = [each for each in quoted_in(page) if rooms.match(each)]
    assert [each for each in paths if not (ROOT / each).exists()] == []


@pytest.mark.parametrize("page", WITHOUT_CODE_OF_ITS_OWN, ids=name_of)
def test_names_are_those_of_the_code(page, words):
    """Each name in backticks is still used in the code, part by part."""
    names = [each for each in quoted_in(page) if NAME.fullmatch(each) and ".py" not in each]
    parts = {each: re.sub(r"_v\d+$", "", each) for each in names}
    assert [
        each for each in names if not set(re.findall(r"\w+", parts[each])) <= words | OF_OTHERS
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_targets_of_make_are_there(page):
    """Each `make ...` in a text has its targets in the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    lines = page.read_text(encoding="utf-8").splitlines()
    calls = [each.partition("#")[0] for each in (*quoted_in(page), *lines)]
    without_quotes = [re.sub(r'"[^"]*"', "", each) for each in calls if each.startswith("make ")]
    named = {name for each in without_quotes for name in each.split()[1:]}
    assert {each for each in named if "=" not in each and each[0] != "-"} <= targets


def test_the_readme_is_short():
    """It is read to the end."""
    assert len(README.read_text(encoding="utf-8").splitlines()) < 150


async def test_the_round_trip_in_the_readme_is_true(tmp_path):
    """Each command is answered as the text says, but for the time, and takes the token."""
    [console] = [each for each in blocks(README.read_text("utf-8")) if each.kind == "console"]
    service, comparison = MemoryService(), Comparison()
    settings = Settings.load(data_dir=tmp_path)
    access = replace(NO_AUTHENTICATION, authenticator=authenticator_of(settings))
    transport = httpx.ASGITransport(application(service, access=access))
    (first, _), *calls = exchanges(console.text)
    assert first == "TOKEN=$(make -s token)"
    token = development_token(settings)
    async with httpx.AsyncClient(transport=transport) as client:
        for written, shown in calls:
            without = await client.send(Curl(written).request(client))
            assert without.status_code == 401, written
            command = written.replace("$TOKEN", token)
            answer = await client.send(Curl(command).request(client))
            assert comparison.holds(shown, answer.text), f"$ {command}\n{answer.text}"
            await service.project()


def test_a_time_may_be_a_whole_second():
    """One in a thousand is."""
    assert Comparison().holds('"2026-03-14T09:26:53.690000Z"', '"2026-03-14T09:26:54Z"')


@pytest.mark.parametrize("page", PAGES_WITH_TABLES, ids=name_of)
def test_tables_are_made_from_the_code(page):
    """What a page says of each kind of problem, or of each metric, is what the code says of it."""
    behind = f"{page} is behind; `make docs-tables` renews it"
    assert with_tables(page) == page.read_text("utf-8"), behind


@pytest.mark.parametrize("adr", ADRS, ids=lambda each: each.stem)
def test_decisions_have_one_form(adr):
    """Context, decision, consequences, and at the end where the decision ends."""
    lines = adr.read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(rf"# {int(adr.name[:4])}\. .+", lines[0])
    assert [each for each in lines if each.startswith("## ")] == [
        "## Context",
        "## Decision",
        "## Consequences",
        "## When this does not apply",
    ]


def test_the_index_of_decisions_is_complete():
    """It lists all of them under their titles, in their order."""
    index = (ROOT / "docs/adr/README.md").read_text(encoding="utf-8")
    titles = [each.read_text("utf-8").partition("\n")[0].removeprefix("# ") for each in ADRS]
    listed = re.findall(r"^- \[(.+)\]\((.+)\)", index, re.MULTILINE)
    assert listed == [(title, each.name) for title, each in zip(titles, ADRS, strict=True)]
