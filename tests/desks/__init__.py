"""Tests of desks that do not ship, written by docs/playbooks.md alone."""
