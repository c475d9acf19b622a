"""A bounded context of doors, for start-up verification to find what of it is not wired up.

Nothing outside imports the modules with the messages: they are for verification to find.
"""
