"""What schemathesis has to be told of the API, beside its OpenAPI document."""

import itertools
import re

import schemathesis
from hypothesis import strategies as st
from pydantic import TypeAdapter

from app.contexts.users.domain import values
from app.contexts.users.http import fields as user_fields

_KEY = re.compile(r"[!-~]{1,255}")
_NAME = re.compile(TypeAdapter(user_fields.Name).json_schema()["pattern"])
_numbers = itertools.count(1)

# In its coverage phase schemathesis makes header values of letters and digits only, and where the
# pattern asks for more it sends as valid what is not. A format with a strategy is spared that.
schemathesis.openapi.format(
    "entity-tag", st.sampled_from(["*", '"1"', '"2"', '"3"', 'W/"1"', '""', '"!#~"'])
)

_PUBLIC = re.compile(r"/(health|problems)/.*|/problems")
_UNSERVED = {400, 403, 404, 413, 421, 431}  # what is refused before its token is looked at


@schemathesis.check
def is_refused(_context, response, case):
    """Check that what takes a token is not served; for runs without one."""
    if _PUBLIC.fullmatch(case.operation.path):
        return
    if response.status_code not in {401, *_UNSERVED}:
        raise AssertionError(f"It is served without a token: {response.status_code}")


@schemathesis.hook
def before_load_schema(_context, raw_schema):
    """Give If-Match that format, and an example that fits whatever version the user is at."""
    for path in raw_schema["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "If-Match":
                    parameter["schema"] |= {"format": "entity-tag", "examples": ["*"]}


@schemathesis.hook
def filter_body(_context, body):
    """Leave out names of which the API accepts another form than the schema says.

    It takes the blanks around a name off first, so it accepts one that fits only then; and it
    refuses one of nothing but rare combining marks, which no schema can list.
    """
    name = body.get("name") if isinstance(body, dict) else None
    if not isinstance(name, str):
        return True
    fits = len(name) <= values.NAME_MAX and _NAME.search(name) is not None
    try:
        values.name(name)
    except ValueError:
        return not fits
    return fits


@schemathesis.hook
def before_call(_context, case, _kwargs):
    """Send each Idempotency-Key once, and register somebody new every other time.

    Otherwise nearly every write would be refused: the same few keys, ids and addresses are made
    again and again.
    """
    number = next(_numbers)
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and _KEY.fullmatch(key):
        case.headers["Idempotency-Key"] = f"{number}.{key}"[:255]
    is_registration = case.operation.label == "POST /users"
    if is_registration and case.meta.generation.mode.is_positive and number % 2:
        somebody = {**case.body, "id": f"somebody-{number}"}
        if len(somebody["email"]) < values.EMAIL_MAX - 10:
            somebody["email"] = f"{number}.{somebody['email']}"
        case.body = somebody
