"""`deskbell-<stage>-unseal`: called by the agents' API alone, with an act on record (G4)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from functions.core.platform import aws, clock, container
from functions.core.platform.settings import Deployment, LambdaContext

bp = Blueprint(__name__)


@bp.lambda_function(name="unseal")
def unseal(event: Any, context: LambdaContext) -> dict[str, Any]:
    """Open one original: `{desk, number, act, agent}` → `{original}` or `{refused}`."""
    from functions.unseal.unsealing import Asked, open_original

    deployment = Deployment.of(context)

    def decrypt(desk: str, number: str, piece: bytes) -> bytes:
        answer = aws.client("kms").decrypt(
            CiphertextBlob=piece,
            KeyId=deployment.contacts_key,
            EncryptionContext=aws.original_context(desk, number),
        )
        words: bytes = answer["Plaintext"]
        return words

    asked = Asked.model_validate(event)
    return open_original(asked, container.store(deployment), decrypt, clock.now()).model_dump()
