"""Acts of the function `administration` with its own rights: the roster, holds and erasures."""

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from functions.core.domain.acts import ActRequest, ActResult
from functions.core.platform import aws
from functions.core.storage.database import Storage
from functions.core.storage.journal import SETTLED_AFTER
from infra.simulator.simulator import Simulator
from tests.core.sample_desk import agent
from tests.inprocess.test_standard import StandardJourney
from tests.permissions import granted, needed

pytestmark = pytest.mark.requirement("H7", "G4")


def act(simulator: Simulator, name: str, **given: Any) -> Any:
    """Carry out an act of the administrator, who must not be refused."""
    asked = ActRequest(act=name, desk="standard", username="boss", locale="en", given=given)
    answered = simulator.invoke("administration", asked.model_dump(mode="json"))
    result = ActResult.model_validate(answered)
    assert result.refusal is None, result.refusal
    return result.result


def administered(simulator: Simulator, storage: Storage) -> None:
    """Let somebody in and go again; hold, release and erase a ticket with a file and an archive."""
    pool = boto3.client("cognito-idp").create_user_pool(PoolName="p")["UserPool"]["Id"]
    name, ssm = simulator.deployment.parameter("settings"), boto3.client("ssm")
    known = json.loads(ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
    value = json.dumps({**known, "user_pool_id": pool})
    ssm.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)
    aws.parameter.cache_clear()
    storage.roster.put(agent("boss", desk="standard", role="admin", team=""))
    entry = {"role": "agent", "team": "技术支持组", "capacity": "3", "level": "0"}
    assert act(simulator, "roster.invite", username="neu-1", entry=entry)["password"]
    assert act(simulator, "roster.reset", username="neu-1", password=True)["password"]
    act(simulator, "roster.reset", username="neu-1", authenticator=True)
    act(simulator, "roster.change", username="neu-1", entry={"skills": ["vip"]})
    act(simulator, "roster.remove", username="neu-1")
    act(simulator, "roster.invite", username="neu-1", entry=entry)
    journey = StandardJourney(simulator, storage)
    storage.manifests.start("standard", datetime.now(UTC))
    journey.online("li-1")
    number = journey.file()
    act(simulator, "roster.remove", username="li-1")
    journey.online("li-2")
    simulator.pump()
    handler = journey.ticket.handler
    assert handler
    journey.act(handler, "resolve", summary="重置密码")
    journey.act_as_customer("survey", score=5)
    simulator.pump()
    simulator.invoke("search_index", {"time": (datetime.now(UTC) + SETTLED_AFTER).isoformat()})
    act(simulator, "erasure.hold", number=number, reason="诉讼")
    act(simulator, "erasure.release", number=number, reason="撤诉")
    assert act(simulator, "erasure.erase", number=number, reason="asked")["numbers"] == [number]
    assert storage.tickets.load("standard", number).erased


@pytest.mark.slow
def test_the_acts_need_no_more_than_the_policy_grants(
    simulator: Simulator, storage: Storage
) -> None:
    administered(simulator, storage)
    used = set()
    for call in simulator.calls:
        if call.function == "administration":
            used |= needed(call.service, call.operation, call.writes)
    assert used <= granted("administration")
