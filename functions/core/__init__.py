"""The code that the functions share, in layers that import downwards only.

- `domain`: rules as pure values and functions. Imports only `domain`.
- `text`: masking, templating, the product's texts, tokens, file types. May import `domain`.
- `playbook`: loading and checking playbooks. May import `domain` and `text`.
- `reports`: what reports, board and costs say. May import `domain` and `text`.
- `storage`: the table and the buckets. May import those four.
- `channels`: the adapters of chat providers. May import `domain`, `text` and `playbook`.
- `services`: use cases that combine rules with storage. May import all of the above.
- `platform`: AWS clients, HTTP, the stream, logging. May import all of the above; with `deliver`
  the only layer that creates boto3 clients and, in `web`, the only one that imports Chalice.
- `deliver`: calls to the providers of mail, SMS, chat and webhooks. May import all of the above.
- `assistant`: the conversations of chats, on every channel. May import all of core.

A test enforces this (`tests/infra/test_architecture.py`).
"""
