"""The code that the functions share, in layers that import downwards only.

- `domain`: rules as pure values and functions. Imports only `domain`.
- `text`: masking, templating, the product's texts, tokens, file types. May import `domain`.
- `playbook`: loading and checking playbooks. May import `domain` and `text`.
- `storage`: the table and the buckets. May import those three.
- `channels`: the adapters of chat providers. May import `domain`, `text` and `playbook`.
- `services`: use cases that combine rules with storage. May import all of the above.
- `platform`: AWS clients, HTTP, the stream, logging. May import all of core; the only layer that
  creates boto3 clients and, in `web`, imports Chalice.

A test enforces this (`tests/infra/test_architecture.py`).
"""
