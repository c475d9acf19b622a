"""What is stored is not taken for that of another fold: a changed one gets another version."""

import importlib
import itertools
import json
import sys

import pytest

from app.bootstrap import CONTEXTS
from tests import folds

NUMBERS = itertools.count()

EVENTS = """
from dataclasses import dataclass
from typing import ClassVar
from app.framework.eventsourcing import Event

@dataclass(frozen=True)
class Grown(Event):
    event_type: ClassVar[str] = "Grown"
    by: int
"""

SIZES = """
STEP = 2

def larger(size: int, by: int) -> int:
    return _rounded(size + by)

def _rounded(size):
    return size // STEP
"""

TREE = """
from dataclasses import asdict, dataclass
from app.framework.eventsourcing import Snapshots
from .events import Grown
from .sizes import larger

@dataclass(frozen=True)
class Tree:
    height: int = 0

    def grow(self, by):
        return [Grown(by)]

    @classmethod
    def evolve(cls, state, event):
        return cls(larger(state.height, event.by)).checked()

    def checked(self):
        return self

SNAPSHOTS = Snapshots(version=1, encode=asdict, decode=lambda data: Tree(**data), every=20)
"""

HEIGHTS = '''
"""The view."""
from app.framework.projections import Index, Projection, by_aggregate
from . import sizes
from .events import Grown

def _grown(document, recorded, event: Grown):
    # It only grows.
    return {"height": sizes.larger(document["height"], event.by)}

HEIGHTS = Projection(
    name="heights", version=1, key=by_aggregate, handlers={Grown: _grown}, indexes=(),
)
'''


@pytest.fixture
def fingerprints(tmp_path, monkeypatch):
    """Those of a context with an aggregate and a view, after a change in one of its modules."""
    monkeypatch.syspath_prepend(tmp_path)

    def of(module: str = "", before: str = "", after: str = "") -> tuple[str, str]:
        # A name of its own each time: the place of a module makes no difference.
        name = f"trees_{next(NUMBERS)}"
        package = tmp_path / name
        package.mkdir()
        (package / "__init__.py").touch()
        sources = {"events": EVENTS, "sizes": SIZES, "tree": TREE, "heights": HEIGHTS}
        for each, source in sources.items():
            assert each != module or source.count(before) == 1
            text = source.replace(before, after) if each == module else source
            text = text.replace("from . ", f"from {name} ").replace("from .", f"from {name}.")
            (package / f"{each}.py").write_text(text)
        importlib.invalidate_caches()
        found = folds.fingerprints([importlib.import_module(name)])
        first, second = sorted(found)
        return found[first], found[second]

    yield of
    for each in [name for name in sys.modules if name.startswith("trees_")]:
        del sys.modules[each]


def test_the_folds_are_those_that_made_what_is_stored():
    """Each has the fingerprint that is recorded for its version."""
    recorded = json.loads(folds.RECORD.read_text())
    if found := folds.complaints(recorded, folds.fingerprints(folds.packages_of(CONTEXTS))):
        pytest.fail("\n".join(found), pytrace=False)


def test_the_same_code_elsewhere_is_the_same_fold(fingerprints):
    """Modules may be moved."""
    assert fingerprints() == fingerprints()


@pytest.mark.parametrize(
    ("change", "snapshots", "view"),
    [
        (("sizes", "STEP = 2", "STEP = 3"), True, True),
        (("sizes", "size // STEP", "size % STEP"), True, True),
        (("tree", "height: int = 0", "height: int = 0\n    width: int = 0"), True, False),
        (("tree", "(larger(state.height, event.by))", "(event.by)"), True, False),
        (("tree", "        return self\n", "        return Tree(1)\n"), True, False),
        (("tree", "Tree(**data)", "Tree(data['height'])"), True, False),
        (("heights", 'document["height"]', "0"), False, True),
        (("heights", "key=by_aggregate", "key=lambda recorded: recorded.stream_id"), False, True),
        (("heights", "{Grown: _grown}", "{}"), False, True),
    ],
)
def test_another_fold_is_noticed(fingerprints, change, snapshots, view):
    """Be it changed itself, or in what it calls within its context."""
    now, before = fingerprints(*change), fingerprints()
    assert (now[0] != before[0], now[1] != before[1]) == (snapshots, view)


@pytest.mark.parametrize(
    "change",
    [
        ("heights", "    # It only grows.\n", '    """Make it higher."""\n'),
        ("heights", "event: Grown", "event"),
        ("heights", "indexes=()", 'indexes=(Index(("height",)),)'),
        ("sizes", "size: int, by: int", "size, by"),
        ("sizes", "    return size // STEP", "    return (size\n            // STEP)"),
        ("tree", "[Grown(by)]", "[Grown(by + 1)]"),
        ("tree", "every=20", "every=10"),
        ("events", "    by: int", "    by: float = 1.0"),
    ],
)
def test_what_stores_the_same_is_the_same_fold(fingerprints, change):
    """Comments, types and layout, what a command decides, and how a view is read or kept."""
    assert fingerprints(*change) == fingerprints()


def test_what_is_to_be_done_is_said():
    """A changed fold has to get another version, or to be said to be the same."""
    [changed] = folds.complaints({"heights_v1": "a"}, {"heights_v1": "b"})
    assert "heights_v1" in changed
    assert "make folds SAME=1" in changed
    raised = folds.complaints({"heights_v1": "a"}, {"heights_v2": "b"})
    assert raised == [
        "heights_v1 is not recorded, or not any more: run `make folds`.",
        "heights_v2 is not recorded, or not any more: run `make folds`.",
    ]
    assert folds.complaints({"heights_v1": "a"}, {"heights_v1": "a"}) == []


def test_a_changed_fold_is_recorded_only_if_it_is_said_to_be_the_same(
    tmp_path, monkeypatch, capsys
):
    """A new version is recorded, and one that is gone is forgotten, without a question."""
    today = folds.fingerprints(folds.packages_of(CONTEXTS))
    name = next(iter(today))
    record = tmp_path / "folds.json"
    monkeypatch.setattr(folds, "RECORD", record)

    record.write_text(json.dumps({name: "another"}))
    monkeypatch.setattr(sys, "argv", ["folds"])
    assert folds.main() == 1
    assert name in capsys.readouterr().err
    assert json.loads(record.read_text()) == {name: "another"}

    monkeypatch.setattr(sys, "argv", ["folds", "--same"])
    assert folds.main() == 0
    assert json.loads(record.read_text()) == today

    record.write_text(json.dumps({"gone_v1": "a"}))
    monkeypatch.setattr(sys, "argv", ["folds"])
    assert folds.main() == 0
    assert json.loads(record.read_text()) == today
