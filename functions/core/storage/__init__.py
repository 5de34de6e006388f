"""The table and the buckets, one module per entity.

May import `domain`, `playbook` and `text`.
"""
