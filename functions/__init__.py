"""The deployed functions, one package for each, and `core`, which they share.

A function imports `core` and its own package, never another function's or `infra`.
"""
