"""What can be asked about doors."""
