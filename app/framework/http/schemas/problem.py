"""The body of every refusal, and what there is to be said of its kind."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from app.framework.http.examples import GENERIC

_KIND = GENERIC.problem

EXAMPLE_ERROR: JsonDict = {
    "pointer": GENERIC.pointer,
    "code": "value-error",
    "detail": GENERIC.detail,
}


class ProblemError(BaseModel):
    """One place in a request that is invalid, and why."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_ERROR]})

    pointer: Annotated[
        str,
        Field(
            description="For a member of the body a JSON Pointer as a URI fragment "
            f"(`{GENERIC.pointer}`; `#` is the body itself), for anything else its kind and name: "
            f"`query/limit`, `path/{GENERIC.path_parameter}`, `header/x-request-id`.",
            examples=[GENERIC.pointer],
        ),
    ]
    code: Annotated[
        str, Field(description="What is wrong, for programs.", examples=["value-error"])
    ]
    detail: Annotated[
        str,
        Field(
            description="What is wrong, for people.",
            examples=[GENERIC.detail],
        ),
    ]


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": _KIND.uri,
                    "title": _KIND.title,
                    "status": _KIND.status,
                    "detail": _KIND.example,
                    "instance": GENERIC.path,
                    "code": _KIND.code,
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
            examples=[_KIND.uri],
        ),
    ]
    title: Annotated[
        str, Field(description="The kind of problem, in words.", examples=[_KIND.title])
    ]
    status: Annotated[
        int,
        Field(ge=400, le=599, description="The status of the response.", examples=[_KIND.status]),
    ]
    detail: Annotated[
        str,
        Field(
            description="What went wrong this time, and what to do.",
            examples=[_KIND.example],
        ),
    ]
    instance: Annotated[
        str,
        Field(
            json_schema_extra={"format": "uri-reference", "maxLength": 128 * 1024},
            description="The path that was requested.",
            examples=[GENERIC.path],
        ),
    ]
    code: Annotated[
        str,
        Field(
            description="The kind of problem, for programs; later editions may add kinds.",
            examples=[_KIND.code],
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
            examples=[[EXAMPLE_ERROR]],
            json_schema_extra={"maxItems": 20},
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
            examples=[_KIND.uri],
        ),
    ]
    code: Annotated[str, Field(description="The `code` of such problems.", examples=[_KIND.code])]
    status: Annotated[
        int,
        Field(ge=400, le=599, description="The status they come with.", examples=[_KIND.status]),
    ]
    title: Annotated[str, Field(description="In a word or two.", examples=[_KIND.title])]
    meaning: Annotated[
        str,
        Field(
            description="When they come, and what to do.",
            examples=[_KIND.meaning],
        ),
    ]
    example: Annotated[
        str,
        Field(description="The `detail` of one of them.", examples=[_KIND.example]),
    ]


class ProblemTypeList(BaseModel):
    """Every kind of problem."""

    items: list[ProblemType]
