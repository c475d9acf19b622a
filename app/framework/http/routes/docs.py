"""The OpenAPI document, and Swagger UI from this process alone.

The page lets a browser load and call nothing else. It refers to its assets by relative addresses,
so it works under any prefix. The address of an asset has a digest of its content, so it may be
cached for ever.
"""

from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from html import escape
from importlib.resources import files

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from app.framework.http.routes.docs_token import MakeToken, add_docs_token

_OURS = ("app.framework.http", "swagger_ui")
_THEIRS = ("fastapi_swagger", "resources")  # as Swagger UI is released; its code is not used

_ASSETS = {
    "favicon-32x32.png": (_THEIRS, "image/png"),
    "swagger-ui.css": (_THEIRS, "text/css"),
    "page.css": (_OURS, "text/css"),
    "swagger-ui-bundle.js": (_THEIRS, "text/javascript"),
    "initializer.js": (_OURS, "text/javascript"),
}

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",  # arrows and icons stand in the style sheet
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)

_PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "; ".join(_POLICY),
    "Referrer-Policy": "no-referrer",
}

_ASSET_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable"}


def add_docs(api: FastAPI, make_token: MakeToken | None = None) -> None:
    """Serve the document of `api` at /openapi.json, and Swagger UI at /docs.

    Without `make_token` people paste a token of their own.
    """
    page = _read(_OURS, "page.html").decode().replace("$title", escape(api.title))
    page = page.replace("$token\n", "" if make_token is None else add_docs_token(api, make_token))
    for name, (folder, media_type) in _ASSETS.items():
        content = _read(folder, name)
        address = f"docs/{sha256(content).hexdigest()[:16]}/{name}"
        page = page.replace(f'"docs/{name}"', f'"{address}"')
        api.add_route(f"/{address}", _serving(content, media_type, _ASSET_HEADERS))
    api.add_route("/docs", _serving(page.encode(), "text/html", _PAGE_HEADERS))

    async def serve_document(request: Request) -> Response:
        document = api.openapi()
        if root_path := request.scope.get("root_path", ""):
            document = {**document, "servers": [{**document["servers"][0], "url": root_path}]}
        return JSONResponse(document)

    api.add_route("/openapi.json", serve_document)


def _read(folder: tuple[str, str], name: str) -> bytes:
    package, path = folder
    return files(package).joinpath(path, name).read_bytes()


def _serving(
    content: bytes, media_type: str, headers: Mapping[str, str]
) -> Callable[[Request], Awaitable[Response]]:
    async def serve(_: Request) -> Response:
        return Response(content, headers=headers, media_type=media_type)

    return serve
