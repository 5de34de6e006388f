"""The customers' status page and API: status, messages, confirmation, survey (F6, A16).

`handler` holds the routes and `calls` the code behind them. `access` checks who may see a ticket;
`status` builds the customer's view of it, which contains masked text only (G4), and `page` renders
that view as HTML. `submissions` and `files` take in messages, answers and attachments.

May import `functions.core`.
"""
