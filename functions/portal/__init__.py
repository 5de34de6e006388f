"""What customers see and say: how a ticket stands, a message, a confirmation, a score (F6, A16).

`handler.py` holds the routes, `access.py` who may see a ticket, `status.py` what is shown of it,
`page.py` the page, `answers.py` and `files.py` what customers may add. Everything leaves here
masked (G4); a ticket that is not there and a proof that does not hold read alike.
"""
