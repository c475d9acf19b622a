"""Fingerprints of folds, which tell a fold that was changed from the one that made what is stored.

    python -m tests.folds [--same]

records those of today in `folds.json`. A fold is what documents of a projection, or snapshots of
an aggregate, are made by: the definition, and all that it uses within its context. Comments,
docstrings, types and the places of modules make no difference, nor do events, which the
`STORED_EVENTS` of a context pin.
"""

import argparse
import ast
import copy
import hashlib
import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from app.bootstrap import CONTEXTS
from app.framework.contexts import Context
from app.framework.eventsourcing import Event, Snapshots
from app.framework.projections import Projection

RECORD = Path(__file__).with_name("folds.json")

CHANGED = """\
The fold of {0} has changed, and what the earlier one made is stored under that name. If anything
comes out different, raise the version of the projection (or that of the snapshots) and run
`make folds`. If all comes out the same, for every log there may be, run `make folds SAME=1`."""

UNRECORDED = "{0} is not recorded, or not any more: run `make folds`."

_ROOT_ATTRIBUTES = {Projection: (), Snapshots: ("evolve",)}
"""What the machinery calls of the classes that a definition uses."""

_WITHOUT_EFFECT = {"indexes", "every", "parks"}
"""Arguments of a projection or of snapshots that do not change what is stored."""

_UNREAD = {"annotation", "returns", "ctx", "kind", "type_comment", "type_params"}
"""Fields of syntax trees that are left out, some of which not every version of Python has."""

_Place = tuple[str, str]
"""A module, and a name in it."""


def fingerprints(contexts: Iterable[ModuleType]) -> dict[str, str]:
    """That of each fold in these packages, under the name and version of what it makes."""
    found = {}
    for context in contexts:
        package = _Package(context)
        for place, value in package.folds():
            name = value.id if isinstance(value, Projection) else f"{place[1]} {value.version}"
            assert name not in found, f"two folds go by the name {name}"
            found[name] = package.fingerprint(place, _ROOT_ATTRIBUTES[type(value)])
    return found


def packages_of(contexts: Iterable[Context]) -> list[ModuleType]:
    """Where contexts are."""
    return [importlib.import_module(each.package) for each in contexts]


def complaints(recorded: Mapping[str, str], today: Mapping[str, str]) -> list[str]:
    """What is to be done about folds that are not as they were recorded."""
    names = sorted(recorded.keys() | today.keys())
    differing = [each for each in names if recorded.get(each) != today.get(each)]
    return [
        (CHANGED if each in recorded and each in today else UNRECORDED).format(each)
        for each in differing
    ]


class _Package:
    """The modules of a bounded context, as syntax trees."""

    def __init__(self, package: ModuleType) -> None:
        below = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        self._modules = [package, *(importlib.import_module(each.name) for each in below)]
        self._definitions = {
            each.__name__: _definitions(ast.parse(Path(str(each.__file__)).read_text("utf-8")))
            for each in self._modules
        }

    def folds(self) -> Iterator[tuple[_Place, Projection | Snapshots[Any]]]:
        """Each projection and each set of snapshots, where it is defined."""
        for module in self._modules:
            for name, value in vars(module).items():
                node = self._definitions[module.__name__].get(name)
                is_here = node is not None and not isinstance(node, ast.ImportFrom)
                if is_here and isinstance(value, Projection | Snapshots):
                    yield (module.__name__, name), value

    def fingerprint(self, place: _Place, attributes: Collection[str]) -> str:
        """That of the definition at `place`, of whose classes `attributes` are called."""
        known, size, parts = set(attributes), -1, dict[_Place, str]()
        while len(known) > size:  # methods that are called by others call others in turn
            size, parts = len(known), {}
            self._collect(place, known, parts)
        return hashlib.sha256("\n".join(sorted(parts.values())).encode()).hexdigest()[:16]

    def _collect(
        self, place: _Place | None, attributes: set[str], parts: dict[_Place, str]
    ) -> None:
        if place is None or place in parts or self._is_event(place):
            return
        module, name = place
        tree = _Pruned(attributes).visit(copy.deepcopy(self._definitions[module][name]))
        parts[place] = _text(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                attributes.add(node.attr)
                self._collect(self._place_of_attribute(module, node), attributes, parts)
            elif isinstance(node, ast.Name):
                self._collect(self._place(module, node.id), attributes, parts)

    def _place(self, module: str, name: str) -> _Place | None:
        """Where what `name` stands for in `module` is defined, if it is in this package."""
        node = self._definitions.get(module, {}).get(name)
        if not isinstance(node, ast.ImportFrom):
            return None if node is None else (module, name)
        [imported] = [each.name for each in node.names if (each.asname or each.name) == name]
        return self._place(str(node.module), imported)

    def _place_of_attribute(self, module: str, node: ast.Attribute) -> _Place | None:
        """The same of what stands behind the name of a module."""
        if not isinstance(node.value, ast.Name):
            return None
        base = self._definitions[module].get(node.value.id)
        if not isinstance(base, ast.ImportFrom):
            return None
        value = getattr(sys.modules[module], node.value.id)
        return self._place(value.__name__, node.attr) if inspect.ismodule(value) else None

    def _is_event(self, place: _Place) -> bool:
        value = getattr(sys.modules[place[0]], place[1], None)
        return isinstance(value, type) and issubclass(value, Event)


def _definitions(module: ast.Module) -> dict[str, ast.stmt]:
    """The statements that define, or import, each name at the top of a module."""
    found: dict[str, ast.stmt] = {}
    for statement in module.body:
        match statement:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found[name] = statement
            case ast.ImportFrom(names=names):
                found |= dict.fromkeys((each.asname or each.name for each in names), statement)
            case ast.Assign(targets=targets):
                named = [node for each in targets for node in ast.walk(each)]
                found |= {each.id: statement for each in named if isinstance(each, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                found[name] = statement
    return found


class _Pruned(ast.NodeTransformer):
    """Leaves out of a definition what makes no difference to what it does."""

    def __init__(self, attributes: Collection[str]) -> None:
        self._attributes = attributes

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id in {"Projection", "Snapshots"}:
            node.keywords = [each for each in node.keywords if each.arg not in _WITHOUT_EFFECT]
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = [
            each
            for each in node.body
            if not isinstance(each, ast.FunctionDef)
            or each.name.startswith("__")
            or each.name in self._attributes
        ]
        return self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name in _UNREAD & {*node._fields}:
            setattr(node, name, None)
        return super().generic_visit(node)


def _text(node: object) -> str:
    """What is in a tree, in a form that no version of Python changes."""
    if isinstance(node, ast.AST):
        fields = [(name, value) for name, value in ast.iter_fields(node) if value not in (None, [])]
        inner = ",".join(f"{name}={_text(value)}" for name, value in fields)
        return f"{type(node).__name__}({inner})"
    return f"[{','.join(map(_text, node))}]" if isinstance(node, list) else repr(node)


def main() -> int:
    """Record the folds of today, unless one was changed under a name that is recorded."""
    parser = argparse.ArgumentParser(prog="python -m tests.folds", description=__doc__)
    parser.add_argument("--same", action="store_true", help="all that is stored stays the same")
    same = parser.parse_args().same
    recorded, today = json.loads(RECORD.read_text()), fingerprints(packages_of(CONTEXTS))
    changed = [each for each in today if recorded.get(each, today[each]) != today[each]]
    if changed and not same:
        sys.stderr.write("".join(f"{CHANGED.format(each)}\n" for each in sorted(changed)))
        return 1
    RECORD.write_text(json.dumps(today, indent=2, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
