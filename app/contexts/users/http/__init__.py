"""Users over HTTP."""

from app.contexts.users.http.changes import changes
from app.contexts.users.http.examples import USER_EXAMPLES
from app.contexts.users.http.problems import USER_PROBLEMS
from app.contexts.users.http.routes import users
from app.framework.http.resources import HttpSide

USERS_HTTP = HttpSide(
    resources=(users, changes),
    problems=USER_PROBLEMS,
    tags=(
        {"name": "users", "description": "Registering, changing, listing users; their past."},
        {"name": "changes", "description": "What happens to users, as it happens."},
    ),
    examples=USER_EXAMPLES,
)
