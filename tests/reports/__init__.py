"""Tests of `functions/reports`."""
