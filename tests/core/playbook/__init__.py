"""Tests of loading and checking playbooks."""
