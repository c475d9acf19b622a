"""What can be asked to change about users: one module a command, with its handler."""
