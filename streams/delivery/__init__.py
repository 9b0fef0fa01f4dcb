"""Decided is not sent: what brings notifications to their receivers, at least once and in order.

`outbox` decides what goes next and never looks at a clock; `retry`, `breaker`, `bucket` and `gate`
are its rules. `sender`, `mail` and `slack_socket` are the edges that talk.
"""
