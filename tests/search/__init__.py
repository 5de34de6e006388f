"""Tests of `functions/search`."""
