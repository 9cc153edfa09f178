"""What decides: plain generators that the durable host replays.

`failback` is the runbook; `stage` carries machines through one step of it; `gate` asks people; `ledgers` are
the entities that remember. Nothing here reaches a network, a clock or an environment.
"""
