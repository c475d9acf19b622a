"""Show a document of a build beside that of the build that serves."""

from dataclasses import dataclass

from app.framework.administration.stored_projections import StoredProjections, numbered
from app.framework.mediator import Query
from app.framework.projections import BuildRecord, FollowedStore, Versioned
from app.framework.request import RequestContext


@dataclass(frozen=True, slots=True)
class DocumentOfBuild:
    """A document as a build has it; None if the build has none."""

    build: int
    stored: Versioned | None


@dataclass(frozen=True, slots=True)
class ComparedDocument:
    """One key in two builds; `serving` is None if no build serves."""

    projection: str
    key: str
    serving: DocumentOfBuild | None
    other: DocumentOfBuild


@dataclass(frozen=True, slots=True)
class CompareDocument(Query[ComparedDocument]):
    """The documents under `key` in a build, and in the one that serves, as they are now."""

    name: str
    number: int
    key: str


class CompareDocumentHandler:
    """Raises ProjectionNotFound and BuildNotFound."""

    def __init__(self, projections: StoredProjections, store: FollowedStore) -> None:
        self._projections = projections
        self._store = store

    async def __call__(self, query: CompareDocument, _: RequestContext) -> ComparedDocument:
        projection = await self._projections.named(query.name)
        other = await self._load(numbered(projection, query.number), query.key)
        serving = projection.serving_build
        beside = None if serving is None else await self._load(serving, query.key)
        return ComparedDocument(query.name, query.key, beside, other)

    async def _load(self, build: BuildRecord, key: str) -> DocumentOfBuild:
        found = await self._store.load(build.id, [key])
        return DocumentOfBuild(build.number, found.get(key))
