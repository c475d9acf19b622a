"""Who may do what with users: a person with her own profile, administrators with any."""

from app.contexts.users.commands.deactivate_user import DeactivateUser
from app.contexts.users.commands.reactivate_user import ReactivateUser
from app.contexts.users.commands.register_user import RegisterUser
from app.contexts.users.commands.update_user_profile import UpdateUserProfile
from app.contexts.users.queries.follow_users import FollowUsers
from app.contexts.users.queries.get_past_user_profile import GetPastUserProfile
from app.contexts.users.queries.get_user_history import GetUserHistory
from app.contexts.users.queries.get_user_profile import GetUserProfile
from app.contexts.users.queries.list_user_summaries import ListUserSummaries
from app.framework.security import Policies, Policy, owned

_READ = owned("user_id", own="users:read", scope="users:read:any")
_WRITE = owned("user_id", own="users:write", scope="users:admin")

USER_POLICIES: Policies = {
    RegisterUser: owned("user_id", own="users:register", scope="users:admin"),
    UpdateUserProfile: _WRITE,
    DeactivateUser: _WRITE,
    ReactivateUser: Policy("users:admin"),
    GetUserProfile: _READ,
    GetPastUserProfile: _READ,
    GetUserHistory: _READ,
    ListUserSummaries: Policy("users:list"),
    FollowUsers: Policy("changes:read", is_audited=True),
}
