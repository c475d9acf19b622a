"""What holds for every bounded context, and what start-up does not see."""

import importlib
import tomllib
from pathlib import Path

from app.api.problems import REFUSALS
from app.bootstrap import CONTEXTS
from app.verification import defined_in

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def names_of_contexts() -> set[str]:
    """The packages that the import contracts place in the layer of contexts."""
    contracts = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]["contracts"]
    [layers] = [each["layers"] for each in contracts if each["type"] == "layers"]
    [layer] = [each.split(" | ") for each in layers if "users" in each.split(" | ")]
    return {f"app.{each}" for each in layer}


def test_every_context_is_verified_at_start_up():
    """Start-up looks for what is not wired up in each of them."""
    assert {each.__name__ for each in CONTEXTS} == names_of_contexts()


def test_every_error_of_a_context_is_told_to_clients():
    """No refusal of a context is answered as an error of ours."""
    contexts = map(importlib.import_module, names_of_contexts())
    errors = {each for context in contexts for each in defined_in(context, Exception)}
    raised = {each for each in errors if not errors.intersection(each.__subclasses__())}
    assert raised
    assert {each.__name__ for each in raised if not set(each.__mro__) & REFUSALS.keys()} == set()
