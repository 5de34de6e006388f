"""Text processing: masking, templating, the product's texts, tokens, file types.

May import `domain`.
"""
