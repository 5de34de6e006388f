"""Tests of the acts of administration that no page shows."""
