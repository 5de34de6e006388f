"""Tests of notify: what is sent to whom, and that it is sent once."""
