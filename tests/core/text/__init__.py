"""Tests of masking, templating, words, tokens and file types."""
