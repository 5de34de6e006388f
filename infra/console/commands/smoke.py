"""`deskbell smoke`: does a deployed stage work?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from infra.console.terminal import DATA, Data, Stage, connect, only_warnings, report

if TYPE_CHECKING:
    from infra.console.smoke import Check


def smoke(
    stage: Stage = "",
    desk: Annotated[
        str, typer.Option(help="The desk; by default the first that reaches every function.")
    ] = "",
    patience: Annotated[int, typer.Option(help="Seconds to wait for each effect.")] = 90,
    data: Data = DATA,
) -> None:
    """Drive a few tickets through every function of a stage, and remove them again."""
    from infra.console.smoke import NEVER, Smoke, desk_for
    from infra.console.smoke_stage import StageUnderTest
    from infra.deploy.trail import OperatorTrail

    trail = OperatorTrail.of(connect(stage, data))
    tested = desk_for(trail.stage, desk)
    trail.record("smoke", tested, trail.stage)
    outside = StageUnderTest.of(trail.stage)
    with only_warnings():
        found = Smoke(outside, trail, tested, timedelta(seconds=patience), _show).run()
    report(f"functions that worked: {', '.join(sorted(found.worked))}")
    report(f"not exercised: {', '.join((*found.not_exercised, *NEVER))}")
    if not found.passed:
        raise typer.Exit(1)


def _show(check: Check) -> None:
    detail = f": {check.detail}" if check.detail else ""
    report(f"{check.state:8}{check.name}{detail}")
    if check.fix:
        report(f"        fix: {check.fix}")
