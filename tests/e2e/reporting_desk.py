"""People of a further desk, and runs, for the tests of reports on the running system."""

import json
from datetime import datetime

from botocore.config import Config

from functions.core.domain.rules import Playbook
from infra.console.people import user_pool
from infra.deploy.desks import storage_of
from infra.local.people import people_of
from tests.e2e.desk_journey import TABLE
from tests.e2e.running_system import System

PASSWORD = "Password0000"
"""Of all whom `let_in` lets in."""


def let_in(playbook: Playbook, *names: str) -> None:
    """Let people of a desk in, named without the desk as `infra.local.people` does.

    The environment must lead to the running system.
    """
    for person in people_of(playbook):
        if person.username.removeprefix(f"{playbook.desk}-") in names:
            user_pool("local").create(person.desk, person.username, person.role, PASSWORD)
            storage_of("local").roster.put(person)


def run_reports(system: System, desk: str, time: datetime) -> None:
    """Let the function `reports` run for a desk as at another time, once."""
    client = system.aws("lambda", Config(read_timeout=300, retries={"total_max_attempts": 1}))
    answer = client.invoke(
        FunctionName=f"{TABLE}-reports",
        Payload=json.dumps({"time": time.isoformat(), "desk": desk}),
    )
    assert "FunctionError" not in answer, answer["Payload"].read()
