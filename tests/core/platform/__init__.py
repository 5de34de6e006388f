"""Tests of HTTP and the stream."""
