"""Use cases that combine rules with storage.

May import all of core except `platform`; clients are passed in.
"""
