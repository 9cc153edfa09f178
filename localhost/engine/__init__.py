"""The durable engine: pure functions from history and messages to decisions, without I/O and without the wire."""
