"""Fetches what providers only announce: the messages of an account, and the files of a message."""
