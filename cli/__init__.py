"""The `failback` command: it speaks HTTP to a local or a deployed app, and knows nothing else of it.

api.py asks, story.py turns answers into a story, live.py and plain.py tell it, gates.py puts the questions to a
person, worlds.py starts the two local worlds, and main.py is the command line.
"""
