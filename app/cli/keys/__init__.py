"""`keys`: the commands of those who hand out API keys."""
