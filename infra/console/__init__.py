"""The `deskbell` command: `commands/` parses arguments, the modules here do the work.

May import `functions` and `infra.deploy`; only the command `up` imports `infra.local`, lazily.
"""
