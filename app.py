"""The Chalice application, composed of the functions' blueprints.

Lambda loads this module for the HTTP API only; it loads every other function from its own handler
module. On Lambda the blueprints without routes are therefore left out, for a faster cold start.
"""

import os
from functools import partial

from chalice.app import Chalice

from functions.assistant.handler import bp as assistant
from functions.core.platform.web import errors_as_problems
from functions.intake.handler import bp as intake
from functions.portal.handler import bp as portal, error_page
from functions.workbench.handler import bp as workbench
from functions.workbench.page_routes import bp as page_routes
from functions.workbench.report_routes import XLSX, bp as report_routes

app = Chalice(app_name="deskbell")
# API Gateway takes bodies for UTF-8 unless their type is listed here; mail and files are bytes.
app.api.binary_types += ["message/rfc822", "multipart/form-data", XLSX]
app.register_middleware(partial(errors_as_problems, error_page=error_page), "http")

for blueprint in (assistant, intake, portal, workbench, page_routes, report_routes):
    app.register_blueprint(blueprint)

if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
    from functions.administration.handler import bp as administration
    from functions.answers.handler import bp as answers
    from functions.fetcher.handler import bp as fetcher
    from functions.language_model.handler import bp as language_model
    from functions.notify.handler import bp as notify
    from functions.reports.handler import bp as reports
    from functions.router.handler import bp as router
    from functions.search.handler import bp as search
    from functions.sla_timer.handler import bp as sla_timer
    from functions.survey.handler import bp as survey
    from functions.unseal.handler import bp as unseal

    for blueprint in (
        administration, answers, fetcher, language_model, notify, reports, router, search,
        sla_timer, survey, unseal,
    ):  # fmt: skip
        app.register_blueprint(blueprint)

if "AWS_CHALICE_CLI_MODE" in os.environ:
    # On the machine that deploys, before Chalice generates the API description and the package.
    from infra.deploy.gateway import (
        add_error_responses,
        allow_forms_with_files,
        let_browsers_have_files,
    )
    from infra.deploy.package import complete_packages

    add_error_responses()
    allow_forms_with_files()
    let_browsers_have_files(app)
    complete_packages()
