"""Tests of what verifies tokens."""
