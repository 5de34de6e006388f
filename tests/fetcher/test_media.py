"""The files of a message: fetched after it is filed, once, under the rules for customers' files."""

import pytest

from functions.core.domain.events import FilesReceived
from tests.fetcher.conftest import Account

pytestmark = pytest.mark.requirement("D10", "F5")
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\0" * 40


def picture(account: Account, media: str) -> None:
    account.write("", msgtype="image", image={"media_id": media})


def test_a_picture_is_added_to_its_ticket_once(account: Account) -> None:
    account.server.api.files["1PNG"] = PNG
    account.write("无法登录")
    picture(account, "1PNG")
    account.announce(pump=False)
    task = account.simulator.accepted[0]
    account.simulator.pump()
    account.simulator.invoke(*task)
    account.simulator.pump()
    (added,) = account.events(FilesReceived)
    (file,) = added.attachments
    assert (file.name, file.content_type) == ("图片.png", "image/png")
    assert file.size == len(PNG)


def test_a_file_that_is_gone_or_not_accepted_is_named_with_the_reason(account: Account) -> None:
    account.server.api.files["1EXE"] = b"MZ" + b"\0" * 100
    for media in ("1EXE", "1GONE", "no medium!"):
        picture(account, media)
    account.announce()
    found = account.events(FilesReceived)
    reasons = [file.reason for event in found for file in event.refused]
    assert reasons == ["program", "unavailable", "unavailable"]
    assert "40007" in found[1].cause
    assert found[2].cause == "wecom gives no such file"


def test_a_busy_provider_is_asked_again_by_lambda(account: Account) -> None:
    account.server.api.files["1PNG"] = PNG
    account.server.answers["get"] = [b'{"errcode": -1, "errmsg": "busy"}']
    picture(account, "1PNG")
    account.announce(pump=False)
    account.simulator.invoke(*account.simulator.accepted.popleft())
    task = account.simulator.accepted.popleft()
    assert task[1]["task"] == "media"
    with pytest.raises(Exception, match="busy"):
        account.simulator.invoke(*task)
    account.simulator.invoke(*task)
    (added,) = account.events(FilesReceived)
    assert len(added.attachments) == 1
