"""Processes that share a listening socket, and a projector in one of its own: see ADR 47."""
