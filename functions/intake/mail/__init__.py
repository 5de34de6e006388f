"""The mail parser. It imports nothing else of Deskbell."""
