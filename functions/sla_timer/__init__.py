"""The function that acts every minute on due timers and deliveries (F3, G2).

EventBridge's schedule invokes `handler`, which calls `sweep`. The effects of a timer are decided by
`functions.core.domain.timers` and `lifecycle`; `notify` sends the notifications.

May import `functions.core`.
"""
