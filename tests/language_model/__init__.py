"""Tests of the function `language_model`."""
