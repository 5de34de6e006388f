"""Incoming chat: messages become tickets, wherever they were read."""
