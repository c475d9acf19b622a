"""What a user is and what may happen to one; the standard library only."""
