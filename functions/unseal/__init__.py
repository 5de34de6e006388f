"""The function that opens an original or a contact for one agent against a recorded act (G4).

`unsealing` checks that the act is on record, recent, this agent's and not used before. Besides
`notify`, which opens contacts to send messages, this is the only function that may decrypt. Its
response is never logged.

May import `functions.core`.
"""
