"""The bounded context of users: their profiles, and the rules that profiles keep."""
