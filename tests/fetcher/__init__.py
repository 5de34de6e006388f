"""Tests of the fetcher: pulls, their leases, and files."""
