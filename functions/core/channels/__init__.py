"""Chat channels: `base` defines an adapter, each other module implements one provider.

May import `domain`, `playbook` and `text`.
"""
