"""One module for each resource provider, each a set of handlers that read the world and answer."""
