"""Wire the services of a deployment: handlers get them here, with their clients and keys."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from functions.core.platform import aws, metering
from functions.core.platform.settings import Deployment
from functions.core.storage.database import Storage

if TYPE_CHECKING:
    from functions.core.domain.rules import Locale
    from functions.core.services.contacts import ContactCorrector
    from functions.core.services.create_ticket import TicketCreator
    from functions.core.services.drafts import DraftDesk
    from functions.core.services.filing import FormFiling


@lru_cache(maxsize=4)
def storage(deployment: Deployment) -> Storage:
    """Return the table of a deployment; the instance caches playbooks between calls."""
    return Storage.on(aws.dynamodb(), deployment.table, metering.spent)


def desk_locale(deployment: Deployment, desk: str) -> Locale | None:
    """Return the language of a desk whose playbook is at hand: an error must read nothing."""
    if not storage.cache_info().currsize:
        return None
    return storage(deployment).playbooks.known_locale(desk)


def ticket_creator(deployment: Deployment) -> TicketCreator:
    """Return the service that creates tickets; its module is imported at the first use."""
    from functions.core.services.create_ticket import TicketCreator

    return TicketCreator(
        storage=storage(deployment),
        seal=partial(aws.seal, deployment),
        seal_original=partial(aws.seal_original, deployment),
        root_key=aws.root_key(deployment),
        public_url=aws.public_url(deployment),
    )


def form_filing(deployment: Deployment) -> FormFiling:
    """Return the service that files requests from the open form."""
    from functions.core.services.filing import FormFiling
    from functions.core.storage.quarantined import quarantine

    def keep(raw: bytes, key: str, desk: str, cause: str, call: Mapping[str, Any]) -> None:
        bucket = deployment.mail_bucket
        quarantine(aws.client("s3"), bucket, raw, key, desk, cause, call=call)

    return FormFiling(ticket_creator(deployment), keep)


def contact_corrector(deployment: Deployment) -> ContactCorrector:
    """Return the service that replaces contacts; its module is imported at the first use."""
    from functions.core.services.contacts import ContactCorrector

    return ContactCorrector(
        storage=storage(deployment),
        seal=partial(aws.seal, deployment),
        root_key=aws.root_key(deployment),
    )


def drafts(deployment: Deployment) -> DraftDesk:
    """Return the service that keeps and sends drafts; its module is imported at the first use."""
    from functions.core.services.drafts import DraftDesk
    from functions.core.storage.files import Files

    return DraftDesk(
        storage=storage(deployment),
        files=Files(aws.client("s3"), deployment.mail_bucket),
        root=partial(aws.root_key, deployment),
        public_url=partial(aws.public_url, deployment),
        seal_outgoing=partial(aws.seal_original, deployment, what="outgoing"),
    )
