"""All users, as the command handlers see them."""

from collections.abc import Callable, Sequence

from app.eventsourcing import (
    ClaimTaken,
    Decide,
    Event,
    EventStore,
    Repository,
    Stored,
    VersionMismatch,
)
from app.users.errors import EmailTaken, UserAlreadyExists, UserNotFound
from app.users.events import STREAM_TYPE
from app.users.read_models import UserProfile
from app.users.user import USER_SNAPSHOTS, User


class Users:
    """The write model of users: every change of one goes through here."""

    def __init__(self, store: EventStore) -> None:
        self._repository = Repository(store, STREAM_TYPE, User, snapshots=USER_SNAPSHOTS)

    async def register(self, user: User) -> UserProfile:
        """Record a new user.

        Raises:
            UserAlreadyExists: the id is taken.
            EmailTaken: another user has the e-mail address.
            Overloaded, StorageUnavailable: as `EventStore.append` says.

        """

        def decide(existing: User | None) -> Sequence[Event]:
            if existing is not None:
                raise UserAlreadyExists(user.id)
            return User.register(user)

        return await self._transact(user.id, decide, None)

    async def change(
        self,
        user_id: str,
        decide: Callable[[User], Sequence[Event]],
        *,
        expected_version: int | None = None,
    ) -> UserProfile:
        """Record what `decide` makes of the user, who may be at `expected_version` only, if given.

        Raises:
            UserNotFound: no user has the id, whatever `expected_version` is.
            EmailTaken: another user has the e-mail address.
            VersionMismatch: the user is at another version.
            VersionConflict, Overloaded, StorageUnavailable: as `Repository.transact` says.
            Whatever `decide` raises.

        """

        def decide_on_existing(existing: User | None) -> Sequence[Event]:
            if existing is None:
                raise UserNotFound(user_id)
            return decide(existing)

        try:
            return await self._transact(user_id, decide_on_existing, expected_version)
        except VersionMismatch as mismatch:
            # Who does not exist is not found; a precondition of the sender's comes after that.
            if mismatch.actual == 0:
                raise UserNotFound(user_id) from mismatch
            raise

    async def _transact(
        self, user_id: str, decide: Decide[User], expected_version: int | None
    ) -> UserProfile:
        try:
            stored = await self._repository.transact(
                user_id, decide, expected_version=expected_version
            )
        except ClaimTaken as taken:
            raise EmailTaken(taken.claim.key) from taken
        return _profile(stored)


def _profile(stored: Stored[User]) -> UserProfile:
    user = stored.state
    return UserProfile(
        id=user.id,
        name=user.name,
        email=user.email,
        avatar_url=user.avatar_url,
        bio=user.bio,
        status=user.status,
        version=stored.version,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
        position=stored.position,
    )
