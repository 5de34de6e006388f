"""Tests of the code that all functions share."""
