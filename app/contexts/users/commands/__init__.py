"""The commands on users: one module per command, with its decision."""
