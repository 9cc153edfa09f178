"""The front doors: HTTP in, durable client calls out, JSON back.

A door reads, checks, and hands on; it decides nothing that the domain could decide, and never speaks to Azure.
"""
