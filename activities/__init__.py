"""What the orchestrators ask of the world: thin functions, plain JSON in and out, safe to run twice.

Each module holds one activity: a body that is given Azure and the domain's values, and under it the shell
that `function_app` registers by its name.
"""
