"""The accounts that embedded servers run under: none of them runs as root."""

import logging
import os
import pwd
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from app.devtools.servers.errors import CannotStart

_logger = logging.getLogger(__name__)


class Identity(TypedDict, total=False):
    """The arguments of `subprocess` to start a program under an account."""

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
        """The arguments for `subprocess`, without further groups."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def account_for(server: str, data: Path, *names: str) -> Account | None:
    """The account that `server` runs under; None for our own.

    The owner of its data; if there are none yet, or root owns them, the first of `names` that this
    machine has, else the account "nobody".

    Raises:
        CannotStart: the data belong to another user, and we are not root; or we are, and the
            machine has none of these accounts.

    """
    owner = data.stat() if data.exists() else None
    if os.geteuid() != 0:
        if owner and owner.st_uid != os.geteuid():
            raise CannotStart(f"DATA_DIR: {data} belongs to user {owner.st_uid}; run as that user")
        return None
    if owner and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in (*names, "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise CannotStart(
        f"DATA_DIR: {server} is not started as root, and there is no account "
        f"{' or '.join((*names, 'nobody'))} to start it as; run as another user"
    )


def hand_over(home: Path, account: Account, program: Path, folders: Sequence[Path]) -> None:
    """Let `account` own `home` with its content, and start `program`, which reads `folders`."""
    if home.stat().st_uid != account.uid:
        # Only root has written there yet, so no link leads out of it. The home comes last: its
        # owner shows that everything is done.
        for each in (*home.rglob("*"), home):
            os.chown(each, account.uid, account.gid, follow_symlinks=False)
    let_through(home, account)
    let_through(program, account)
    for each in folders:
        let_read(each, account)


def let_through(path: Path, account: Account) -> None:
    """Let `account` search the directories above `path`, without listing or reading them."""
    for folder in path.parents:
        status = folder.stat()
        if status.st_uid == account.uid or status.st_mode & stat.S_IXOTH:
            continue
        folder.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)
        _logger.warning(
            "Changed the mode of %s (chmod o+x): the account of an embedded server must reach %s",
            folder,
            path,
        )


def let_read(folder: Path, account: Account) -> None:
    """Let `account` read `folder`, also if only its owner can."""
    status = folder.stat()
    if status.st_uid == account.uid or status.st_mode & stat.S_IROTH:
        return
    _logger.warning(
        "Changed the mode of %s (chmod -R o+rX): the account of an embedded server must read it",
        folder,
    )
    # The folder comes last: its mode shows that everything is done.
    for each in (*folder.rglob("*"), folder):
        if each.is_symlink():
            continue
        mode = stat.S_IMODE(each.stat().st_mode)
        search = stat.S_IXOTH if mode & stat.S_IXUSR else 0
        each.chmod(mode | stat.S_IROTH | search)
