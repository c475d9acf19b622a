"""Health on the wire."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict
from typing_extensions import TypeAliasType

from app.framework.http.schemas.bases import ResponseBody

_NO_MONGODB: JsonDict = {
    "name": "mongodb",
    "ok": False,
    "detail": "MongoDB is unavailable: it cannot be reached",
}

HealthStatus = TypeAliasType(
    "HealthStatus",
    Annotated[
        Literal["ok", "unavailable"],
        Field(description="Whether everything that was looked at is ok.", examples=["ok"]),
    ],
)


class HealthCheck(ResponseBody):
    """One thing the process needs."""

    model_config = ConfigDict(json_schema_extra={"examples": [_NO_MONGODB]})

    name: Annotated[str, Field(description="What was looked at.", examples=["postgresql"])]
    ok: Annotated[bool, Field(description="Whether it can be used now.")]
    detail: Annotated[str, Field(description="Why it is not ok; empty when it is.")]


class Health(ResponseBody):
    """Whether the process can do what its roles say."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "status": "ok",
                    "roles": ["commands", "projector", "queries"],
                    "checks": [
                        {"name": "postgresql", "ok": True, "detail": ""},
                        {"name": "mongodb", "ok": True, "detail": ""},
                        {"name": "writes", "ok": True, "detail": ""},
                        {"name": "projector", "ok": True, "detail": ""},
                    ],
                },
                {"status": "unavailable", "roles": ["queries"], "checks": [_NO_MONGODB]},
            ]
        }
    )

    status: HealthStatus
    roles: Annotated[list[str], Field(description="What this process does.")]
    checks: Annotated[
        list[HealthCheck], Field(description="What was looked at; nothing for liveness.")
    ]
