"""What can be asked about users: one module a query, with its handler."""
