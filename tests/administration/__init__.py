"""Tests of the acts of administration."""
