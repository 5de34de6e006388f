"""Tests of `functions.reports`."""
