"""Tests of `functions.core.reports`."""
