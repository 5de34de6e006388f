"""The `deskbell` command: `commands/` parses arguments, the modules here do the work.

May import `functions` and `infra.deploy`; only `terminal` and the command `up` import
`infra.local`, when they run.
"""
