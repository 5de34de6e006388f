"""Use cases that combine rules with storage.

May import all of core; clients are passed in.
"""
