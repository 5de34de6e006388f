"""Tests of the closing workflow's tasks."""
