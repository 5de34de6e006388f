"""The function that opens an original for one agent against a recorded act (G4).

`unsealing` checks that the act is on record, recent, this agent's and not used before. Besides
`notify`, which opens contacts, this is the only function that may decrypt, and it opens originals
only. Its response is never logged.

May import `functions.core`.
"""
