"""The adapters that implement the ports: one folder per storage, and what they share."""
