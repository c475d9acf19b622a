"""Verifications of projections on the wire."""

from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from app.framework.http.examples import GENERIC
from app.framework.http.schemas.bases import VERSION_MAX, RequestBody, ResponseBody, Timestamp
from app.framework.projections import DifferenceKind

_DIFFERENCE: JsonDict = {
    "key": "01977c2a",
    "kind": "changed",
    "detail": "differs in name; stored at position 7, expected at position 7",
    "is_repaired": True,
}

_PARKED: JsonDict = {"key": "01977c2b", "position": 9}

_VERIFICATION: JsonDict = {
    "id": "5f0c1a9be6b14d0f8b7b1f0a2c3d4e5f",
    "projection": GENERIC.projection,
    "build": 1,
    "version": 1,
    "sample": 100.0,
    "repair": True,
    "began_at": "2026-03-14T09:26:53.589793Z",
    "is_over": True,
    "done": 160441,
    "total": 160441,
    "position": 120441,
    "head": 120447,
    "documents": 20000,
    "differing": 1,
    "repaired": 1,
    "differences": [_DIFFERENCE],
    "parked": [_PARKED],
    "error": "There is no build thing_names_v1 any more.",
}

_Count = Annotated[int, Field(ge=0)]


class VerificationRequest(RequestBody):
    """A comparison of a projection with a fold of the log."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"sample": 100, "repair": True}]})

    sample: Annotated[
        float,
        Field(
            strict=True,
            ge=0.01,
            le=100,
            description="Compare about so many percent of the documents.",
        ),
    ] = 100
    repair: Annotated[
        bool,
        Field(strict=True, description="Whether to replace what differs by what the log leads to."),
    ] = False


class DocumentDifference(ResponseBody):
    """A difference between the read model and the log."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DIFFERENCE]})

    key: Annotated[
        str, Field(description="Of the document; a stream, or empty, where the log has a gap.")
    ]
    kind: DifferenceKind
    detail: Annotated[str, Field(description="How it differs, without any content.")]
    is_repaired: Annotated[bool, Field(description="Whether it was repaired, and holds.")]


class ParkedPlace(ResponseBody):
    """A parked document: it was compared with the log up to there."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PARKED]})

    key: str
    position: Annotated[int, Field(ge=1, description="Of the event that could not be applied.")]


class Verification(ResponseBody):
    """A comparison of the build that serves with a fold of the log."""

    model_config = ConfigDict(json_schema_extra={"examples": [_VERIFICATION]})

    id: str
    projection: Annotated[str, Field(examples=[GENERIC.projection])]
    build: Annotated[int, Field(ge=1, le=VERSION_MAX, description="The number of the build.")]
    version: Annotated[
        int, Field(ge=1, le=VERSION_MAX, description="The version of the projection.")
    ]
    sample: Annotated[float, Field(description="About so many percent are compared.")]
    repair: Annotated[bool, Field(description="Whether what differs is replaced.")]
    began_at: Timestamp
    is_over: Annotated[bool, Field(description="Whether it has ended.")]
    done: Annotated[_Count, Field(description="How far it is, in events and documents.")]
    total: Annotated[
        _Count | None, Field(description="How many there are, about; null when not known yet.")
    ]
    position: Annotated[_Count, Field(description="Events up to there are folded.")]
    head: Annotated[_Count, Field(description="Of the last event of the log when it began.")]
    documents: Annotated[_Count, Field(description="How many documents the log leads to.")]
    differing: Annotated[_Count, Field(description="How many differed.")]
    repaired: Annotated[_Count, Field(description="How many of those were repaired, and hold.")]
    differences: Annotated[
        list[DocumentDifference], Field(max_length=100, description="The first that differed.")
    ]
    parked: list[ParkedPlace]
    error: Annotated[str | None, Field(description="Why it ended early; null when it did not.")]
