"""What a process serves beside the API, such as the pages of a console."""

from typing import Protocol

from fastapi import APIRouter


class Extension(Protocol):
    """Routes with something of their own to open and to close."""

    def add_to(self, router: APIRouter) -> None:
        """Add the routes; none of them is in the OpenAPI document."""
        ...

    async def open(self) -> None:
        """Get ready; called once, after the service is open."""
        ...

    async def close(self) -> None:
        """Release what `open` has taken; called before the service is closed."""
        ...
