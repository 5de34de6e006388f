"""The dependencies of the customers' calls and pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from functions.core.domain.errors import NotFound
from functions.core.domain.events import Attachment
from functions.core.domain.rules import Playbook
from functions.core.platform import aws, container
from functions.core.platform.settings import Deployment
from functions.core.platform.web import Request
from functions.core.storage.database import Storage
from functions.core.storage.files import Files
from functions.core.text.unmasking import Seal
from functions.portal import access, files


@dataclass(frozen=True)
class PortalContext:
    """The dependencies of the calls.

    `root` is the root key of the secret links. `keep` stores files and `link` returns a link to
    one; `seal` encrypts originals.
    """

    storage: Storage
    root: bytes
    keep: files.Keep
    link: Callable[[Attachment], str]
    seal: Seal

    @classmethod
    def of(cls, deployment: Deployment) -> PortalContext:
        bucket = deployment.mail_bucket
        return cls(
            container.storage(deployment),
            aws.root_key(deployment),
            lambda folder, sent, rules: files.keep(aws.client("s3"), bucket, folder, sent, rules),
            lambda file: Files(aws.client("s3"), bucket).link(file),
            partial(aws.seal_original, deployment),
        )

    def playbook(self, desk: str, request: Request) -> Playbook:
        """Return a desk's playbook.

        Raises:
            NotFound: there is no such desk; the error is that of a missing ticket.
        """
        try:
            return self.storage.playbooks.get(desk, request.now)
        except NotFound as missing:
            raise access.no_such_ticket() from missing
