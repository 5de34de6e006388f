"""Tests of notify: recipients, texts, and sending once."""
