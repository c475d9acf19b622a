"""Logging, and the reporting of outages."""
