"""Tests of loading and checking articles."""
