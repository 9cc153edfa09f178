"""`python -m cli`: the same as the command `failback`."""

from cli.main import app

app(prog_name="failback")
