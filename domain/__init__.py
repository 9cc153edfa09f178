"""What failback knows and decides, without a network, a clock or a cloud.

Everything here is a value or a pure function: requests and plans (`contract`, `planning`), the life of a
machine (`machine`, `lifecycle`), the decisions of a stage and of a gate (`stage`, `gate`), the choice of a
recovery point (`recovery_points`), and the report (`report`).
"""
