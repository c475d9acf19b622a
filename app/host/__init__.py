"""A process at run time: its settings, its parts, and its HTTP server."""
