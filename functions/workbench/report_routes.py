"""The routes of the board and the reports; like `handler`, which has the other agents' routes."""

from __future__ import annotations

from datetime import timedelta

from chalice.app import Blueprint, Response

from functions.core.platform import web
from functions.core.platform.container import storage
from functions.workbench.authorizer import agents_authorizer

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
"""The type of a workbook."""

PATIENCE = timedelta(seconds=20)
"""The time that a caller waits for a query: API Gateway ends a call after 29 seconds."""

bp = Blueprint(__name__)
agents, DESK = agents_authorizer(), "/agent/desks/{desk}"


@bp.route(f"{DESK}/board", methods=["GET"], authorizer=agents)
def show_board(desk: str) -> Response:
    from functions.workbench import board

    return web.respond(bp, lambda r: board.show_board(r, storage(r.deployment), desk))


@bp.route(f"{DESK}/reports/{{kind}}/{{period}}", methods=["GET"], authorizer=agents)
def show_report(desk: str, kind: str, period: str) -> Response:
    from functions.workbench import reports

    return web.respond(
        bp, lambda r: reports.show_report(r, storage(r.deployment), desk, kind, period)
    )


@bp.route(f"{DESK}/costs", methods=["GET"], authorizer=agents)
def show_costs(desk: str) -> Response:
    from functions.core.platform.athena import Athena
    from functions.workbench import costs

    return web.respond(
        bp,
        lambda r: costs.show_costs(
            r, storage(r.deployment), desk, Athena(r.deployment, PATIENCE).rows
        ),
    )
