"""Diptych: commands into PostgreSQL, events through the projector, queries from MongoDB."""

NAME = "Diptych"

IDENTIFIER = NAME.lower()
"""NAME where it has to be plain: in names of databases, tables, sockets and programs.

Some of these are stored: what was written under another name is not found under this one.
"""

__version__ = "0.1.0"
