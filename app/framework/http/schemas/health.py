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
    "roles": ["queries"],
}

HealthStatus = TypeAliasType(
    "HealthStatus",
    Annotated[
        Literal["ok", "unavailable"],
        Field(description="Whether everything that was looked at is ok.", examples=["ok"]),
    ],
)

RoleName = TypeAliasType(
    "RoleName",
    Annotated[
        Literal["commands", "queries", "projector"],
        Field(description="A role of a process.", examples=["commands"]),
    ],
)


class HealthCheck(ResponseBody):
    """One thing the process needs."""

    model_config = ConfigDict(json_schema_extra={"examples": [_NO_MONGODB]})

    name: Annotated[str, Field(description="What was looked at.", examples=["postgresql"])]
    ok: Annotated[bool, Field(description="Whether it can be used now.")]
    detail: Annotated[str, Field(description="Why it is not ok, or what there is to say.")]
    roles: Annotated[
        list[str],
        Field(description="The roles that need it.", examples=[["commands", "projector"]]),
    ]


class Health(ResponseBody):
    """Whether the process can do what its roles say."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "status": "ok",
                    "roles": ["commands", "projector", "queries"],
                    "checks": [
                        {
                            "name": "postgresql",
                            "ok": True,
                            "detail": "",
                            "roles": ["commands", "projector"],
                        },
                        {
                            "name": "mongodb",
                            "ok": True,
                            "detail": "",
                            "roles": ["projector", "queries"],
                        },
                        {"name": "writes", "ok": True, "detail": "", "roles": ["commands"]},
                        {"name": "views", "ok": True, "detail": "", "roles": ["queries"]},
                        {
                            "name": "projector",
                            "ok": True,
                            "detail": "It works on order_lists_v1.",
                            "roles": ["projector"],
                        },
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
