"""Who calls in the tests of contexts: people with real tokens."""

import atexit
import shutil
import tempfile
from pathlib import Path

from app import IDENTIFIER
from app.adapters.identity import TokenRules, TokenVerifier
from app.bootstrap import local_issuer, policies_of
from app.framework.http.application import Access
from app.host.settings import Settings

DATA_DIR = Path(tempfile.mkdtemp())
"""With the key of the issuer: a process with this setting accepts its tokens."""

atexit.register(shutil.rmtree, DATA_DIR)

USER_ID_CLAIM = "sub"
"""People own the profile under the name that they are known by."""

_ISSUER = local_issuer(Settings.load(data_dir=DATA_DIR))

ACCESS = Access(
    authenticator=TokenVerifier(
        [_ISSUER], TokenRules(audiences=[IDENTIFIER], user_id_claim=USER_ID_CLAIM)
    ),
    policies=policies_of(),
)

ALL_SCOPES = frozenset(scope for policy in policies_of().values() for scope in policy.scopes)


def authorization(subject: str, *scopes: str) -> dict[str, str]:
    """The header of a request by a person with these scopes."""
    return {"Authorization": f"Bearer {_ISSUER.token(subject, scopes, IDENTIFIER)}"}


AUTHORIZATION = authorization("alice", *ALL_SCOPES)
