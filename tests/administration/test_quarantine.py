"""Rights to see entries of the quarantine and to act on them."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.administration import acts, dead_letters
from functions.core.domain.acts import ActRequest, ActResult
from functions.core.platform import aws
from functions.core.services.rights import ANY_DESK
from functions.core.storage.database import Storage
from tests.administration.quarantined import (
    hold_mail,
    make_quarantine,
    put_dead_letter,
    queued,
    record_of,
)
from tests.core.sample_desk import NOON, agent
from tests.workbench.conftest import (
    DEPLOYMENT,
    dynamodb as dynamodb,
    playbook as playbook,
    storage as storage,
)

pytestmark = pytest.mark.requirement("H4", "G4")


@pytest.fixture(autouse=True)
def _quarantine(storage: Storage) -> None:
    make_quarantine()
    storage.roster.put(agent("chief", desk=ANY_DESK, role="admin"))
    storage.roster.put(agent("leader", desk=ANY_DESK, role="supervisor"))


def answered(storage: Storage, act: str, who: str = "supervisor-1", **given: Any) -> ActResult:
    request = ActRequest(
        act=f"quarantine.{act}", desk="testdesk", username=who, locale="en", given=given
    )
    return acts.answer(request, DEPLOYMENT, storage, NOON)


def listed(storage: Storage, who: str = "supervisor-1") -> set[str]:
    return {entry["id"] for entry in answered(storage, "entries", who).result["entries"]}


def audited(storage: Storage) -> list[tuple[str, str, str]]:
    found = storage.audit.list(NOON, NOON + timedelta(seconds=1))
    return [(entry.actor, entry.act, entry.target) for entry in found]


def test_only_entries_of_the_own_desk_are_seen(storage: Storage) -> None:
    own = {hold_mail("one"), put_dead_letter("router", record_of("testdesk"))}
    hold_mail("two", "other")
    put_dead_letter("notify", record_of("other"))
    of_none = {hold_mail("three", "-"), put_dead_letter("sla_timer", {"cause": "x"})}
    assert listed(storage) == own
    assert listed(storage, "leader") == own
    assert listed(storage, "chief") == own | of_none


def test_an_address_that_no_key_can_have_is_of_nothing(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "KeyTooLongError"}}, "GetObject")

    monkeypatch.setattr(aws.client("s3"), "get_object", refuse)
    refusal = answered(storage, "entry", entry_id=f"quarantine/testdesk/{'x' * 2000}").refusal
    assert refusal
    assert refusal.kind == "NotFound"


@pytest.mark.parametrize("desk", ["other", "-", "test", "testdesk2"])
@pytest.mark.parametrize("act", ["entry", "show", "replay", "discard"])
def test_another_desk_s_entry_cannot_be_touched(storage: Storage, desk: str, act: str) -> None:
    given = {"reason": "no"} if act == "discard" else {}
    for entry_id in (hold_mail("one", desk), put_dead_letter("router", record_of(desk))):
        refusal = answered(storage, act, entry_id=entry_id, **given).refusal
        assert refusal is not None
        assert refusal.kind == "NotFound"
    assert queued() == []
    assert audited(storage) == []
    assert answered(storage, "show", entry_id="quarantine/testdesk/../other/one").refusal


def test_a_batch_about_several_desks_is_of_none(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its records would show one desk's tickets to the other."""
    batch: dict[str, Any] = {"DDBStreamBatchInfo": {}, "requestContext": {}}
    desks: list[str] = []

    def records(_batch: Any, _function: str) -> list[Any]:
        return [
            {"dynamodb": {"Keys": {"pk": {"S": f"TICKET#{desk}#CS1"}, "sk": {"S": "EVENT#1"}}}}
            for desk in desks
        ]

    monkeypatch.setattr(dead_letters, "records_between", records)
    letter = put_dead_letter("router", batch)
    for of, seen in ((["testdesk"] * 2, True), (["testdesk", "other"], False), ([], False)):
        desks[:] = of
        assert (letter in listed(storage)) == seen
        assert (answered(storage, "show", entry_id=letter).refusal is None) == seen


def test_each_act_is_on_record(storage: Storage) -> None:
    one, two = hold_mail("one"), hold_mail("two")
    assert "昨天起无法登录" in answered(storage, "show", entry_id=one).result["text"]
    assert answered(storage, "replay", entry_id=one).refusal is None
    assert answered(storage, "discard", entry_id=two, reason="广告").refusal is None
    assert sorted(audited(storage)) == [
        ("supervisor-1", "quarantine.discard", two),
        ("supervisor-1", "quarantine.replay", one),
        ("supervisor-1", "quarantine.show", one),
    ]
    assert [message["receipt"]["action"]["objectKey"] for message in queued()] == ["mail/one"]


def test_a_reason_is_needed_and_is_kept_masked(storage: Storage) -> None:
    one = hold_mail("one")
    refusal = answered(storage, "discard", entry_id=one, reason="  ").refusal
    assert refusal is not None
    assert [field for field, _ in refusal.errors] == ["reason"]
    assert listed(storage) == {one}
    answered(storage, "discard", entry_id=one, reason="骚扰 13800138000")
    (entry,) = answered(storage, "entries", discarded=True).result["entries"]
    assert entry["discarded"] == "supervisor-1: 骚扰 138****8000"
    assert answered(storage, "discard", entry_id=entry["id"], reason="x").refusal
    assert answered(storage, "replay", entry_id=entry["id"]).refusal is None
    assert len(queued()) == 1


def test_a_cause_is_masked_and_printable(storage: Storage) -> None:
    put_dead_letter("router", record_of("testdesk", "refused 13800138000\u202e"))
    (entry,) = answered(storage, "entries").result["entries"]
    assert entry["cause"] == "refused 138****8000\\u202e"


def test_mail_to_an_unknown_mailbox_goes_to_the_desk_of_who_releases_it(storage: Storage) -> None:
    lost = hold_mail("lost", "-")
    assert answered(storage, "replay", "chief", entry_id=lost).refusal is None
    (message,) = queued()
    mailbox = storage.playbooks.get("testdesk", NOON).mail.address
    assert message["receipt"]["recipients"] == [mailbox]


@pytest.mark.parametrize("who", ["agent-1", "qa-1", "finance-1"])
def test_other_roles_may_not(storage: Storage, who: str) -> None:
    one = hold_mail("one")
    for act, given in (("entries", {}), ("show", {"entry_id": one}), ("replay", {"entry_id": one})):
        refusal = answered(storage, act, who, **given).refusal
        assert refusal is not None
        assert refusal.kind == "Forbidden"


def test_many_entries_are_read_page_by_page(storage: Storage) -> None:
    """Those of no desk follow the desk's own."""
    own = [hold_mail(f"m{n:02}") for n in range(30)]
    lost = hold_mail("lost", "-")
    seen: list[str] = []
    after = ""
    for size in (25, 6):
        page = answered(storage, "entries", "chief", after=after).result
        assert len(page["entries"]) == size
        seen += [entry["id"] for entry in page["entries"]]
        after = page["next"]
    assert after == ""
    assert sorted(seen) == sorted([*own, lost])
    foreign = answered(storage, "entries", after="quarantine/other/x").result
    assert {entry["desk"] for entry in foreign["entries"]} == {"testdesk"}
