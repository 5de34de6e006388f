"""Text in and out: masking, templating, words, tokens, file types.

May import `domain`.
"""
