"""The common part of all pages: templates, static files, and the headers that protect them (H8)."""
