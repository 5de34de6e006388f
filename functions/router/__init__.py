"""Where a ticket goes: what it is about, how urgent it is, whose it is.

Woken by the table's stream. `classify.py` and `choose.py` are pure; `route.py` carries decisions
out through the one way a ticket changes; `closing.py` keeps the closing workflow in step.
"""
