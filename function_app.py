"""The composition root: registers plain functions with the Functions host, and does nothing else."""

from __future__ import annotations

import azure.functions as func
from azure.durable_functions import DFApp

from activities.channels import channels
from activities.choose_points import choose_points
from activities.delete_left_overs import delete_left_overs
from activities.deliver import deliver
from activities.drill_estate import drill_estate
from activities.find_acts import find_acts
from activities.find_machines import find_machines
from activities.heralds import ask_heralds, send_herald
from activities.kept import kept_evidence
from activities.look import look
from activities.make_plan import make_plan
from activities.recheck import recheck
from activities.record import record
from activities.start_acts import start_acts
from activities.take_inventory import take_inventory
from activities.validate import validate
from orchestrators.alert_desk import alert_desk
from orchestrators.alert_intake import alert_intake
from orchestrators.bide import bide
from orchestrators.decisions import run_decisions
from orchestrators.drills import drill
from orchestrators.failback import failback
from orchestrators.gate import gate
from orchestrators.herald import courier, herald
from orchestrators.hold import hold
from orchestrators.ledgers import decision_ledger, machine_lock, run_control, run_memory, run_register
from orchestrators.proposal import proposal
from orchestrators.registers import drill_diary, test_register
from orchestrators.stage import stage
from orchestrators.sweep import sweep
from triggers import evidence, retention, schedule
from triggers.doors import guarded
from triggers.routes import ROUTES
from triggers.routing import check

check()
app = DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

for orchestrator in (failback, stage, gate, bide, hold, herald, courier, alert_intake, proposal, drill, sweep):
    app.orchestration_trigger(context_name="context")(orchestrator)

for entity in (
    decision_ledger,
    machine_lock,
    run_control,
    run_memory,
    run_register,
    run_decisions,
    alert_desk,
    drill_diary,
    test_register,
):
    app.entity_trigger(context_name="context")(entity)

for activity in (make_plan, recheck, look, start_acts, find_acts, choose_points, validate, find_machines):
    app.activity_trigger(input_name="request")(activity)

for activity in (drill_estate, take_inventory, delete_left_overs):
    app.activity_trigger(input_name="request")(activity)

for activity in (channels, deliver, record):
    app.activity_trigger(input_name="request")(activity)

for errand in (send_herald, ask_heralds):
    app.activity_trigger(input_name="request")(app.durable_client_input(client_name="client")(errand))

# Doors know no Azure: this one is handed what it reads with.
evidence.read_with(kept_evidence)

for route in ROUTES:
    opened = app.route(route=route.path, methods=[route.method], auth_level=route.level)
    opened(app.durable_client_input(client_name="client")(guarded(route)))

ticking = app.timer_trigger(arg_name="timer", schedule=schedule.EVERY_FIVE_MINUTES)
ticking(app.durable_client_input(client_name="client")(schedule.tick))

purging = app.timer_trigger(arg_name="timer", schedule=retention.EVERY_NIGHT)
purging(app.durable_client_input(client_name="client")(retention.purge))
