"""The queries on users: one module per query, with its handler."""
