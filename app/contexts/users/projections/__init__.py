"""The views that queries on users read, one module each."""

from app.contexts.users.projections.user_history import USER_HISTORY
from app.contexts.users.projections.user_profiles import USER_PROFILES
from app.contexts.users.projections.user_summaries import USER_SUMMARIES

USER_PROJECTIONS = (USER_PROFILES, USER_SUMMARIES, USER_HISTORY)

__all__ = ["USER_HISTORY", "USER_PROFILES", "USER_PROJECTIONS", "USER_SUMMARIES"]
