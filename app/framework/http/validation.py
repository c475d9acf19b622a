"""The errors of an invalid request, with pointers to their places."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError

from app.framework.http.schemas.problem import ProblemError

LISTED = 20
"""How many errors an answer lists at most."""

_TOKEN_MAX = 100

MALFORMED_BODY = ProblemError(
    pointer="#", code="json-invalid", detail="The body cannot be read as JSON in UTF-8."
)
_NO_BODY = ProblemError(pointer="#", code="missing", detail="The body must be a JSON object.")


def problem_errors(error: RequestValidationError) -> list[ProblemError]:
    """The places of `error`; input values are never repeated."""
    return [_problem_error(each) for each in error.errors()[:LISTED]]


def _problem_error(found: Mapping[str, Any]) -> ProblemError:
    kind, *tokens = found["loc"]
    code = found["type"].replace("_", "-")
    detail = found["msg"].removeprefix("Value error, ")
    if kind != "body":
        return ProblemError(
            pointer="/".join(map(str, found["loc"])), code=code, detail=f"{detail.rstrip('.')}."
        )
    if found["type"] == "json_invalid":
        where = f"{found['ctx']['error']}, at character {tokens[0]}"
        return ProblemError(pointer="#", code=code, detail=f"The body is not JSON: {where}.")
    if not tokens and found["type"] in {"missing", "model_attributes_type"}:
        return _NO_BODY
    return ProblemError(pointer=_json_pointer(tokens), code=code, detail=f"{detail.rstrip('.')}.")


def _json_pointer(tokens: Sequence[str | int]) -> str:
    # Names of unknown members come from the client, so they may have any length and content.
    return "#" + "".join(f"/{_escaped(str(each)[:_TOKEN_MAX])}" for each in tokens)


def _escaped(token: str) -> str:
    pointer_token = token.replace("~", "~0").replace("/", "~1")
    return quote(pointer_token, safe="~!$&'()*+,;=:@", errors="replace")
