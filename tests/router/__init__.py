"""Tests of the router: classification and assignment."""
