"""Composition only: one Chalice application made of the rooms' blueprints."""

from chalice.app import Chalice

from functions.intake.handler import bp as intake
from functions.notify.handler import bp as notify
from functions.portal.handler import bp as portal
from functions.router.handler import bp as router
from functions.sla_timer.handler import bp as sla_timer
from functions.survey.handler import bp as survey
from functions.workbench.handler import bp as workbench

app = Chalice(app_name="deskbell")
# Raw mail is bytes: API Gateway would decode any type that is not named here as UTF-8.
app.api.binary_types.append("message/rfc822")

for blueprint in (intake, router, sla_timer, notify, survey, portal, workbench):
    app.register_blueprint(blueprint)
