"""The rules of a desk as pure values and functions: tickets, events, commands, timers, the
playbook's model.

No I/O, no clock, no environment. Imports only `functions.core.domain`.
"""
