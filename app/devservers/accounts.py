"""The account that PostgreSQL runs under: it refuses to run as root."""

import logging
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from app.devservers.errors import CannotStart

_logger = logging.getLogger(__name__)


class Identity(TypedDict, total=False):
    """What `subprocess` needs to start a program under an account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine and its group."""

    uid: int
    gid: int

    @property
    def identity(self) -> Identity:
        """The arguments for `subprocess`; no other group is kept."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def postgres_account(data: Path) -> Account | None:
    """Who runs the cluster in `data`: its owner, else `postgres` or `nobody`; None: ourselves.

    Raises:
        CannotStart: the data belongs to somebody else, and we are not root.

    """
    owner = data.stat() if data.exists() else None
    if os.geteuid() != 0:
        if owner and owner.st_uid != os.geteuid():
            raise CannotStart(f"DATA_DIR: {data} belongs to user {owner.st_uid}; run as that user")
        return None
    if owner and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise CannotStart("DATABASE_URL: is not set, and PostgreSQL does not run as root; set it")


def let_through(path: Path, account: Account) -> None:
    """Let `account` search the directories above `path`: search only, nothing to list or read."""
    for folder in path.parents:
        status = folder.stat()
        if status.st_uid == account.uid or status.st_mode & stat.S_IXOTH:
            continue
        folder.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)
        _logger.warning(
            "%s may now be searched by others (chmod o+x): the account that runs PostgreSQL "
            "has to reach %s",
            folder,
            path,
        )


def let_read(folder: Path, account: Account) -> None:
    """Let `account` read all in `folder`, if whoever installed it there kept it to themselves."""
    status = folder.stat()
    if status.st_uid == account.uid or status.st_mode & stat.S_IROTH:
        return
    _logger.warning(
        "%s may now be read by others (chmod -R o+rX): the account that runs PostgreSQL has to",
        folder,
    )
    # The folder comes last: it is what shows that nothing is left to do.
    for each in (*folder.rglob("*"), folder):
        if each.is_symlink():
            continue
        mode = stat.S_IMODE(each.stat().st_mode)
        search = stat.S_IXOTH if mode & stat.S_IXUSR else 0
        each.chmod(mode | stat.S_IROTH | search)
