"""What is seen of a process from outside: its log, and the outages it lives through."""
