"""Tests of what receives chat messages."""
