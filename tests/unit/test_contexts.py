"""What holds for every bounded context, and what start-up does not see."""

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
