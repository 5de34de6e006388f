"""What was hidden of a customer's words, opened to one agent by a recorded act (G4).

`opening.py` holds the rules: the act is on record, fresh, this agent's, and was not used before.
Beside `notify`, which opens contacts, this is the only function that may decrypt, and it opens
originals alone. Its answer is logged nowhere; nothing else belongs in here.
"""
