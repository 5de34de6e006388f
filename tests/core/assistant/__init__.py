"""Tests of the assistant's parts."""
