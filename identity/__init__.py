"""Who somebody is: what the platform says, what a token proves, what a signed link was made for.

Nothing here knows HTTP functions, durable hosts or Azure's SDKs; the network is used for one thing, to fetch the
keys that a tenant signs its tokens with.
"""
