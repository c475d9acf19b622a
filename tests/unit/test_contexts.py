"""What holds for every bounded context, and what start-up does not see."""

import subprocess
import sys

import pytest

from app.bootstrap import CONTEXTS
from app.framework.contexts import defined_in
from app.framework.http.problems import ERROR_MAPPINGS


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda it: it.package)
def test_every_error_of_a_context_is_told_to_clients(context):
    """No refusal of a context is answered as an error of ours."""
    mappings = {**ERROR_MAPPINGS, **context.http().problems}
    errors = set(defined_in(context.package, Exception))
    raised = {each for each in errors if not errors.intersection(each.__subclasses__())}
    assert raised
    assert {each.__name__ for each in raised if not set(each.__mro__) & mappings.keys()} == set()


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda it: it.package)
def test_a_manifest_imports_no_web_framework(context):
    """Only its routes do, which a process that serves none of them does not ask for."""
    code = (
        f"import sys, {context.package}.context\n"
        "found = {'fastapi', 'pydantic', 'starlette', 'uvicorn'} & sys.modules.keys()\n"
        "sys.exit(f'imports {found}' if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
