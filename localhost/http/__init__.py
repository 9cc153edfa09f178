"""HTTP: the app's own routes, the public durable API and the client endpoint."""
