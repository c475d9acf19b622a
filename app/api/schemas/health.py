"""Health on the wire."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from app.api.schemas.bases import ResponseBody


class HealthCheck(ResponseBody):
    """One thing the process needs."""

    name: Annotated[str, Field(examples=["postgresql"])]
    ok: bool
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
                        {"name": "projector", "ok": True, "detail": ""},
                    ],
                }
            ]
        }
    )

    status: Literal["ok", "unavailable"]
    roles: Annotated[list[str], Field(description="What this process does.")]
    checks: Annotated[
        list[HealthCheck], Field(description="What was looked at; nothing for liveness.")
    ]
