"""The HTTP calls of chats with the assistant (contract, section 6).

May import `functions.core`.
"""
