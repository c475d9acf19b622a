"""Problems of administration."""

from app.framework.administration import (
    BuildNotFound,
    BuildNotReady,
    BuildServes,
    CannotBeVerified,
    DocumentNotParked,
    ProjectionBusy,
    ProjectionNotFound,
    VerificationNotFound,
)
from app.framework.http.problems.kinds import ErrorMapping, ErrorMappings, ProblemType

PROJECTION_NOT_FOUND = ProblemType(
    404,
    "projection-not-found",
    "Projection not found",
    example="There is no projection thing_nams.",
    meaning="No projection of this name was ever begun. GET /admin/projections lists them.",
)
BUILD_NOT_FOUND = ProblemType(
    404,
    "build-not-found",
    "Build not found",
    example="thing_names has no build 7.",
    meaning="The projection never had a build of this number. GET /admin/projections lists the "
    "builds of each projection.",
)
PROJECTION_BUSY = ProblemType(
    409,
    "projection-busy",
    "Projection busy",
    example="thing_names is busy: build 3 is building, at position 1,041 of 5,000; wait, or "
    "retire it.",
    meaning="A build of the projection is being made or verified already, or another operator has "
    "changed the projection at the same time. Nothing was changed; the detail says what is going "
    "on.",
)
BUILD_NOT_READY = ProblemType(
    409,
    "build-not-ready",
    "Build not ready",
    example="Build 3 of thing_names cannot serve: it is 5,000 events behind build 2, which serves.",
    meaning="Only a build that is ready or kept can begin to serve, and only while a process works "
    "on it and it is at most 2,000 events behind the one that serves. Nothing was changed.",
)
BUILD_SERVES = ProblemType(
    409,
    "build-serves",
    "Build serves",
    example="Build 3 of thing_names serves; let another one serve before you retire it.",
    meaning="Queries read the build, so it cannot be retired. Nothing was changed. Let another "
    "build serve first.",
)
DOCUMENT_NOT_PARKED = ProblemType(
    404,
    "document-not-parked",
    "Document not parked",
    example="The document '01977c2a' of thing_names is not parked.",
    meaning="The build that serves has no parked document of this key: it never was parked, or has "
    "been replayed. Nothing was changed. GET /admin/projections/{name}/parked lists those there "
    "are.",
)
CANNOT_BE_VERIFIED = ProblemType(
    409,
    "cannot-be-verified",
    "Cannot be verified",
    example="thing_names cannot be verified: this version of the service has no fold of build 3 "
    "(version 2).",
    meaning="No build of the projection serves, or only a newer version of the service can fold "
    "it. Nothing was begun.",
)
VERIFICATION_NOT_FOUND = ProblemType(
    404,
    "verification-not-found",
    "Verification not found",
    example="There is no verification 5f0c of thing_names.",
    meaning="A verification is kept for 7 days. One whose process died is not known any more 10 s "
    "later. Begin another one.",
)

ADMINISTRATION_PROBLEMS: ErrorMappings = {
    ProjectionNotFound: ErrorMapping(PROJECTION_NOT_FOUND),
    BuildNotFound: ErrorMapping(BUILD_NOT_FOUND),
    ProjectionBusy: ErrorMapping(PROJECTION_BUSY),
    BuildNotReady: ErrorMapping(BUILD_NOT_READY),
    BuildServes: ErrorMapping(BUILD_SERVES),
    DocumentNotParked: ErrorMapping(DOCUMENT_NOT_PARKED),
    CannotBeVerified: ErrorMapping(CANNOT_BE_VERIFIED),
    VerificationNotFound: ErrorMapping(VERIFICATION_NOT_FOUND),
}
