"""Requests by web form, app, signed webhook, mail and chat; each opens a ticket or joins one.

`handler` holds the routes and the queue's function. `forms` reads HTTP bodies, `signatures`
verifies them, `chat` receives chat messages, `calls` phone calls. Mail: `mail_pipeline` →
`mail_policy` → `mail/` (the parser) → `mail_routing`, with `mail_store` for the bucket and
`bounces` for mail that came back.
`functions.core.services.create_ticket`, which the workbench uses too, creates the tickets.

May import `functions.core`.
"""
