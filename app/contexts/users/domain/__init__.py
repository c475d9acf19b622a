"""The domain: users and their events; it imports the standard library only."""
