"""The archive document of merged tickets is held if one of them is."""

import boto3
import pytest

from functions.core.domain.commands import Hold
from functions.core.platform import clock
from functions.core.services.archiving import ArchiveBuckets, write_document
from functions.core.services.command_service import change
from tests.inprocess.desk_journey import SimulatedJourney
from tests.inprocess.test_merging import act_on, file_two, journey, status_link

pytestmark = pytest.mark.requirement("B10")
__all__ = ["journey"]


@pytest.fixture
def merged_pair(journey: SimulatedJourney) -> tuple[str, str]:
    """Two tickets of one customer, the second with a file and merged into the first."""
    one, other = file_two(journey)
    path, _, query = status_link(journey, other).partition("?")
    body = {"text": "见附件", "attachments": [{"name": "说明.txt", "content": "5L2g5aW9"}]}
    assert journey.http("POST", f"{path}/messages?{query}", body).status == 201
    assert act_on(journey, "zg-1", other, "merge", into=one).status == 200
    return one, other


@pytest.mark.parametrize("held", [True, False])
def test_a_hold_on_one_merged_ticket_holds_the_document_and_all_files(
    journey: SimulatedJourney,
    merged_pair: tuple[str, str],
    held: bool,
) -> None:
    one, other = merged_pair
    if held:
        command = Hold(held=True, reason="诉讼")
        change(
            journey.storage,
            "standard",
            other,
            command,
            journey.playbook,
            clock.now(),
            actor="admin",
        )
    s3, place = boto3.client("s3"), journey.simulator.deployment
    buckets = ArchiveBuckets(s3, place.archive_bucket, place.mail_bucket)
    (key,) = write_document(
        journey.storage, buckets, journey.storage.tickets.load("standard", one), journey.playbook
    )
    (file,) = (
        each["Key"]
        for each in s3.list_objects_v2(Bucket=place.mail_bucket, Prefix="files/")["Contents"]
    )
    years = str(journey.playbook.retention.years)
    for bucket, kept in ((place.archive_bucket, key), (place.mail_bucket, file)):
        tags = s3.get_object_tagging(Bucket=bucket, Key=kept)["TagSet"]
        assert {tag["Key"]: tag["Value"] for tag in tags} == {
            "retention-years": years,
            "hold": str(held).lower(),
        }
