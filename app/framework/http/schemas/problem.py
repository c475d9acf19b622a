"""The body of every refusal, and what there is to be said of its kind."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

_NO_ADDRESS: JsonDict = {
    "pointer": "#/email",
    "code": "value-error",
    "detail": "An email address must have an @-sign.",
}


class ProblemError(BaseModel):
    """One place in a request that is invalid, and why."""

    model_config = ConfigDict(json_schema_extra={"examples": [_NO_ADDRESS]})

    pointer: Annotated[
        str,
        Field(
            description="For a member of the body a JSON Pointer as a URI fragment (`#/email`; "
            "`#` is the body itself), for anything else its kind and name: `query/limit`, "
            "`path/user_id`, `header/x-request-id`.",
            examples=["#/email"],
        ),
    ]
    code: Annotated[
        str, Field(description="What is wrong, for programs.", examples=["value-error"])
    ]
    detail: Annotated[
        str,
        Field(
            description="What is wrong, for people.",
            examples=["An email address must have an @-sign."],
        ),
    ]


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "/problems/user-not-found",
                    "title": "User not found",
                    "status": 404,
                    "detail": "User with ID user123 not found.",
                    "instance": "/users/user123",
                    "code": "user-not-found",
                    "request_id": "01977c2a-6a3c-7d52-9f0e-5b1f6f0f8a11",
                }
            ]
        }
    )

    type: Annotated[
        str,
        Field(
            json_schema_extra={"format": "uri-reference"},
            description="The kind of problem: `/problems/` and the code.",
            examples=["/problems/user-not-found"],
        ),
    ]
    title: Annotated[
        str, Field(description="The kind of problem, in words.", examples=["User not found"])
    ]
    status: Annotated[
        int, Field(ge=400, le=599, description="The status of the response.", examples=[404])
    ]
    detail: Annotated[
        str,
        Field(
            description="What went wrong this time, and what to do.",
            examples=["User with ID user123 not found."],
        ),
    ]
    instance: Annotated[
        str,
        Field(
            json_schema_extra={"format": "uri-reference"},
            description="The path that was requested.",
            examples=["/users/user123"],
        ),
    ]
    code: Annotated[
        str,
        Field(
            description="The kind of problem, for programs; later editions may add kinds.",
            examples=["user-not-found"],
        ),
    ]
    request_id: Annotated[
        str,
        Field(
            description="The X-Request-Id of the response, also in the logs.",
            examples=["01977c2a-6a3c-7d52-9f0e-5b1f6f0f8a11"],
        ),
    ]
    errors: Annotated[
        list[ProblemError],
        Field(
            default_factory=list,
            description="With `invalid-request` only: what is wrong where, the first 20 at most.",
            examples=[[_NO_ADDRESS]],
        ),
    ]


# Without an example as a whole: with members `type` and `example`, one would be taken for a schema
# by tools that look for examples, Spectral for one. Each member has its own.
class ProblemType(BaseModel):
    """A kind of problem."""

    type: Annotated[
        str,
        Field(
            json_schema_extra={"format": "uri-reference"},
            description="The `type` of such problems.",
            examples=["/problems/user-not-found"],
        ),
    ]
    code: Annotated[
        str, Field(description="The `code` of such problems.", examples=["user-not-found"])
    ]
    status: Annotated[
        int, Field(ge=400, le=599, description="The status they come with.", examples=[404])
    ]
    title: Annotated[str, Field(description="In a word or two.", examples=["User not found"])]
    meaning: Annotated[
        str,
        Field(
            description="When they come, and what to do.",
            examples=["No user has the id, or had it at the time that was asked about."],
        ),
    ]
    example: Annotated[
        str,
        Field(
            description="The `detail` of one of them.", examples=["User with ID user123 not found."]
        ),
    ]


class ProblemTypeList(BaseModel):
    """Every kind of problem."""

    items: list[ProblemType]
