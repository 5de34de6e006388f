"""Requests in: web form, app, signed webhook, mail and chat; each becomes one ticket or joins one.

`handler` knows Chalice and Lambda. `forms` reads HTTP bodies, `signatures` verifies them, `chat`
takes in chat messages. Mail: `mail_pipeline` → `mail_policy` → `mail/` (the parser) →
`mail_routing`, with `mail_store` for the bucket and `bounces` for mail that came back. Tickets are
created by `functions.core.services.create_ticket`, which the workbench uses too.

May import `functions.core`.
"""
