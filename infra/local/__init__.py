"""The local system: everything that differs from production, and nothing else.

The deployment steps are production's. `emulator` runs AWS in a process, with its gaps filled by
`chalice_client`, `streams`, `workflows` and `workers`. `proxy` serves HTTP, `mailbox` SMTP,
`providers` the chat providers; `people` creates the agents. May import `infra.deploy` and
`infra.console`.
"""
