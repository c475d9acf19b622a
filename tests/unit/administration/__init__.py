"""Tests of `app.framework.administration`."""
