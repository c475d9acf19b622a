"""Diptych: commands into PostgreSQL, events through the projector, queries from MongoDB."""

__version__ = "0.1.0"
