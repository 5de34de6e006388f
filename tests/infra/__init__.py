"""Tests of what deploys the functions, runs them on one machine and measures them."""
