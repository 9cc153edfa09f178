"""The only importer of Azure SDKs: reads and acts, answered in the domain's own values.

Reads raise `Transient`, `Throttled` or `Refused`; an act raises `Undecided` besides, when it was sent and its
answer was lost.
"""
