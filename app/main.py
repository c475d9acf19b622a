"""The ASGI application."""

from fastapi import FastAPI

from app.api.application import create_api
from app.bootstrap import build
from app.settings import Settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application for `settings`, or for what the environment says; nothing is connected yet.

    Raises:
        InvalidSettings: the settings cannot be used.
        Misconfigured: something that is defined is not wired up.

    """
    settings = settings or Settings.load()
    return create_api(build(settings), hosts=settings.hosts, origins=settings.cors_origins)
