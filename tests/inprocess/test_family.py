"""The archive document of merged tickets is held if one of them is."""

from __future__ import annotations

import boto3
import pytest

from functions.core.domain.commands import Hold
from functions.core.platform import clock
from functions.core.services.command_service import change
from functions.survey.archive import ArchiveBuckets, write_document
from tests.inprocess.desk_journey import Case
from tests.inprocess.test_merging import act, case, file_two, status_link

pytestmark = pytest.mark.requirement("B10")
__all__ = ["case"]


@pytest.fixture
def merged_pair(case: Case) -> tuple[str, str]:
    """Two tickets of one customer, the second with a file and merged into the first."""
    one, other = file_two(case)
    path, _, query = status_link(case, other).partition("?")
    body = {"text": "见附件", "attachments": [{"name": "说明.txt", "content": "5L2g5aW9"}]}
    assert case.http("POST", f"{path}/messages?{query}", body).status == 201
    assert act(case, "zg-1", other, "merge", into=one).status == 200
    return one, other


@pytest.mark.requirement("B10")
@pytest.mark.parametrize("held", [True, False])
def test_a_hold_on_one_merged_ticket_holds_the_document_and_all_files(
    case: Case,
    merged_pair: tuple[str, str],
    held: bool,
) -> None:
    one, other = merged_pair
    if held:
        command = Hold(held=True, reason="诉讼")
        change(case.storage, "standard", other, command, case.playbook, clock.now(), actor="admin")
    s3, place = boto3.client("s3"), case.loop.deployment
    buckets = ArchiveBuckets(s3, place.archive_bucket, place.mail_bucket)
    key = write_document(
        case.storage, buckets, case.storage.tickets.load("standard", one), case.playbook
    )
    (file,) = (
        each["Key"]
        for each in s3.list_objects_v2(Bucket=place.mail_bucket, Prefix="files/")["Contents"]
    )
    years = str(case.playbook.retention.years)
    for bucket, kept in ((place.archive_bucket, key), (place.mail_bucket, file)):
        tags = s3.get_object_tagging(Bucket=bucket, Key=kept)["TagSet"]
        assert {tag["Key"]: tag["Value"] for tag in tags} == {
            "retention-years": years,
            "hold": str(held).lower(),
        }
