"""`deskbell-<stage>-search_index`: EventBridge invokes it every five minutes.

Only the event's `{"time": "2026-03-10T04:00:00Z", …}` is read, as `sla_timer` does.
"""

from datetime import timedelta
from typing import Any

from chalice.app import Blueprint
from pydantic import AwareDatetime, BaseModel, ConfigDict

from functions.core.platform import aws, container
from functions.core.platform.metering import metered
from functions.core.platform.settings import Deployment
from functions.core.services.indexing import SearchIndex
from functions.core.storage.segments import Segments

TIME_FOR_CHANGE = timedelta(seconds=60)
"""The remaining time that another change of a manifest needs."""

bp = Blueprint(__name__)


class IndexingScheduled(BaseModel):
    """The part of a scheduled event that the function reads."""

    model_config = ConfigDict(defer_build=True)

    time: AwareDatetime


@metered
def search_index(event: dict[str, Any], context: Any) -> None:
    """Put what is new on each desk's tickets into its segments; the rest waits for the next run."""
    now, deployment = IndexingScheduled.model_validate(event).time, Deployment.of(context)
    index = SearchIndex(
        container.storage(deployment),
        Segments(aws.client("s3"), deployment.mail_bucket),
        lambda: aws.root_key(deployment),
    )
    for manifest in index.storage.manifests.list():
        while index.add_new(manifest.desk, now):
            if context.get_remaining_time_in_millis() < TIME_FOR_CHANGE.total_seconds() * 1000:
                return


# As a decorator, Chalice would replace the function with a wrapper that refuses an event without
# EventBridge's complete envelope.
bp.schedule("rate(5 minutes)", name="search_index")(search_index)
