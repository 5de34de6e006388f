"""What is due: each minute, warnings, breaches and deliveries whose next attempt has come (F3, G2).

`sweep` is the rule, `handler` the schedule. What follows from a timer is the playbook's and stands
in `functions.core.domain.timers` and `functions.core.domain.lifecycle`; who is told of it is
`notify`'s.
"""
