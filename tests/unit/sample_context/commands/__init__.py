"""What can be asked of doors."""
