"""Composition only: one Chalice application made of the rooms' blueprints.

On Lambda this module is the HTTP API's alone, since every other function is called by its own
module; so there it leaves the rooms without routes out (cold start).
"""

import os

from chalice.app import Chalice

from functions.core.platform.web import errors_as_problems
from functions.intake.handler import bp as intake
from functions.portal.handler import bp as portal
from functions.workbench.handler import bp as workbench

app = Chalice(app_name="deskbell")
# Raw mail is bytes: API Gateway would decode any type that is not named here as UTF-8.
app.api.binary_types.append("message/rfc822")
app.register_middleware(errors_as_problems, "http")

for blueprint in (intake, portal, workbench):
    app.register_blueprint(blueprint)

if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
    from functions.notify.handler import bp as notify
    from functions.router.handler import bp as router
    from functions.sla_timer.handler import bp as sla_timer
    from functions.survey.handler import bp as survey
    from functions.unseal.handler import bp as unseal

    for blueprint in (router, sla_timer, notify, survey, unseal):
        app.register_blueprint(blueprint)

if "AWS_CHALICE_CLI_MODE" in os.environ:
    # On the machine that deploys, where Chalice is about to describe the API.
    from infra.deploy.gateway import describe_answers

    describe_answers()
