"""Releases of the service that differ from this checkout in some lines."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.acceptance.services import ROOT

REFUSED = "https://refused.example.com/"
"""What `refusing` releases cannot apply: an avatar_url that begins so."""

_REFUSAL = f"""\
    if str(event_data(event).get("avatar_url")).startswith("{REFUSED}"):
        raise ValueError("This avatar_url is refused.")
"""


def release(folder: Path, changes: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Make a release in `folder`, which does not exist; return the settings that start it.

    `changes` has for each file, below the root, texts of which it has one, and what they become.
    """
    for each in ("app", "alembic"):
        shutil.copytree(ROOT / each, folder / each, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "alembic.ini", folder)
    for name, texts in changes.items():
        file = folder / name
        content = file.read_text()
        for before, after in texts.items():
            assert content.count(before) == 1, f"{name} has {content.count(before)} of: {before}"
            content = content.replace(before, after)
        file.write_text(content)
    return {"PYTHONPATH": str(folder)}


def refusing(folder: Path) -> dict[str, str]:
    """A release whose views of users cannot apply REFUSED; `release` says more."""
    projections = "app/contexts/users/projections"
    comment = "    # These events name their field as the profile does.\n"
    changed = '    return {**existing(document, recorded), "avatar_url": event.avatar_url}\n'
    imported = "from app.framework.eventsourcing import RecordedEvent"
    return release(
        folder,
        {
            f"{projections}/user_profiles.py": {comment: _REFUSAL + comment},
            f"{projections}/user_summaries.py": {
                f"{imported}\n": f"{imported}, event_data\n",
                changed: _REFUSAL + changed,
            },
        },
    )
