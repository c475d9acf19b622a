"""A projection whose fold refuses some events."""

from collections.abc import Callable
from dataclasses import replace

from app.framework.projections import Document, Projection
from tests.notes import NOTES, NoteAdded, notes


def refusing(name: str, refuses: Callable[[str], bool], *, parks: bool = False) -> Projection:
    """Notes, but for a fold that cannot apply some texts."""

    def added(document: Document | None, _, event: NoteAdded) -> Document:
        if refuses(event.text):
            raise ValueError(f"cannot apply {event.text}")
        assert document
        return {**document, "texts": [*document["texts"], event.text]}

    return replace(notes(name=name), handlers={**NOTES.handlers, NoteAdded: added}, parks=parks)
