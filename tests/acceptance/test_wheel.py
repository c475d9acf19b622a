"""The wheel that is released: complete, and of use where there is no checkout."""

import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.acceptance import release


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this checkout."""
    return release.build("wheel", tmp_path_factory.mktemp("dist"))


@pytest.fixture
def installed(wheel, folder) -> Path:
    """The programs of an environment with the wheel, and the libraries of this one."""
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv/bin/python"
    install = ("install", "--no-deps", "--no-index", wheel)
    release.pip(sys.executable, "--python", python, *install, cwd=folder)
    [libraries] = (folder / "venv/lib").glob("python*/site-packages")
    (libraries / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return python.parent


def test_it_holds_the_project_and_nothing_else(wheel):
    """All of `app` with the files that are no modules, `py.typed` too, and the migrations."""
    held = release.files_of(wheel)
    assert held == release.files_wanted()
    assert held >= {"app/py.typed", "app/alembic/env.py", "app/framework/http/swagger_ui/page.html"}


def test_it_migrates_and_serves_without_a_checkout(
    installed, folder, unmigrated_postgres_url, mongodb_url, mongodb_database
):
    """In an empty folder, by the name of the product."""
    empty = folder / "empty"
    empty.mkdir()
    release.try_out(
        installed,
        empty,
        DATABASE_URL=unmigrated_postgres_url,
        MONGODB_URL=mongodb_url,
        MONGODB_DATABASE=mongodb_database,
    )
