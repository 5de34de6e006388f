"""Tests of masking, templates, languages, tokens and file types."""
