"""Unix sockets in folders that only their owner may enter."""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from app import IDENTIFIER
from app.devtools.servers.accounts import Account
from app.devtools.servers.errors import CannotStart

_LONGEST_SOCKET = 100  # bytes; the systems allow 103 to 107


def socket_folder(home: Path, name: str, account: Account | None) -> Path:
    """The folder for the socket `name` of a server under `home` that runs as `account`, or as us.

    The home itself, unless its path is too long or has characters that a URL's host cannot hold;
    else a temporary folder that is the same at every start.

    Raises:
        CannotStart: that folder belongs to another user.

    """
    socket = os.fsencode(home / name)
    if len(socket) <= _LONGEST_SOCKET and b"," not in socket:
        return home
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"{IDENTIFIER}-{digest}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        if account:
            os.chown(folder, account.uid, account.gid)
    owner = account.uid if account else os.geteuid()
    if folder.is_symlink() or folder.stat().st_uid != owner:
        raise CannotStart(f"DATA_DIR: its path is too long, and {folder} belongs to another user")
    return folder
