"""What the console serves, put together."""

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from app.console.actions import add_actions
from app.console.comparisons import add_comparisons
from app.console.live import Live
from app.console.log import add_log
from app.console.overview import Overview, add_overview
from app.console.pages import ASSETS, Pages
from app.console.projections import add_projections
from app.console.sampling import Sampler
from app.console.signing_in import SigningIn
from app.console.streams import add_streams
from app.framework.http.problems.kinds import ErrorMappings
from app.framework.http.routes.docs_token import MakeToken
from app.framework.http.service import Service
from app.framework.http.sessions import PREFIX
from app.framework.security import Policies

_FOR_EVER = "public, max-age=31536000, immutable"


class Console:
    """The pages for operators, at /console. Implements Extension."""

    def __init__(
        self,
        service: Service,
        policies: Policies,
        mappings: ErrorMappings,
        *,
        name: str,
        version: str,
        event_types: Sequence[str] = (),
        make_token: MakeToken | None = None,
    ) -> None:
        """Serve the pages of a process.

        Args:
            service: the process.
            policies: who may send which message.
            mappings: the words for what is refused.
            name: of the service, for the title of each page.
            version: of the service.
            event_types: those of all contexts, to choose from.
            make_token: makes the token of development; None where people paste one.

        """
        self._service = service
        self._pages = Pages(service.mediator, policies, mappings, name=name, version=version)
        self._sampler = Sampler(service)
        self._live = Live(service.stopping)
        self._make_token = make_token
        self._event_types = sorted(event_types)

    async def open(self) -> None:
        self._sampler.open()

    async def close(self) -> None:
        await self._sampler.close()

    def add_to(self, router: APIRouter) -> None:
        pages, live = self._pages, self._live
        SigningIn(pages, self._make_token).add_to(router)
        add_overview(router, Overview(self._service, pages, self._sampler), pages, live)
        add_projections(router, pages, live)
        add_actions(router, pages)
        add_comparisons(router, pages, live)
        add_log(router, pages, live, self._event_types)
        add_streams(router, pages, live)
        self._add_assets(router)
        self._add_the_rest(router)

    def _add_assets(self, router: APIRouter) -> None:
        async def console_asset(name: str) -> Response:
            if name not in ASSETS:
                return Response(status_code=404)
            headers = {"Cache-Control": _FOR_EVER}
            return Response(self._pages.assets[name], headers=headers, media_type=ASSETS[name])

        path = f"{PREFIX}{self._pages.assets_path}/{{name}}"
        router.add_api_route(path, console_asset, methods=["GET"], include_in_schema=False)

    def _add_the_rest(self, router: APIRouter) -> None:
        async def console_not_found(request: Request, rest: str) -> Response:  # noqa: ARG001
            why = "The console has no page at this address."
            return self._pages.page(request, "refused", 404, title="No such page", why=why)

        handler = self._pages.guarded(console_not_found)
        path = f"{PREFIX}/{{rest:path}}"
        router.add_api_route(path, handler, methods=["GET"], include_in_schema=False)
