"""A process at run time: its settings, its parts, and the server in front of them."""
