"""The local system: only what differs from production; the deployment steps are the same.

`up` starts everything. `emulator` runs AWS in a process; `chalice_client`, `streams`, `workflows`
and `workers` fill its gaps. `proxy` serves HTTP, `mailbox` SMTP, `providers` the calls to chat
providers, and `people` creates the agents. May import `infra.deploy` and `infra.console`.
"""
