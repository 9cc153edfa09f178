"""What failback knows and decides, without a network, a clock or a cloud.

Everything here is a value or a pure function: what people ask for (`request`, `approvals`, `people`), what
crosses the wire (`contract`, `notices`), plans and their checks (`planning`, `checks`), the life of a machine
(`machine`, `lifecycle`), the decisions of a stage and of a gate (`stage`, `gate`), the choice of a recovery
point (`recovery_points`), the report (`report`), and what an operator may set (`settings`).
"""
