"""Requests in: web form, app, signed webhook, raw mail → one ticket each, exactly once.

`handler.py` knows Chalice and Lambda, `inbox.py` the mail bucket; the rest are plain functions.
Filing itself is `functions.core.services.create_ticket`, since agents file requests too.
"""
