"""`deskbell-<stage>-unseal`: opens an original for the agents' API (G4)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from functions.core.platform import aws, clock, container
from functions.core.platform.settings import Deployment, LambdaContext

bp = Blueprint(__name__)


@bp.lambda_function(name="unseal")
def unseal(event: Any, context: LambdaContext) -> dict[str, Any]:
    """Open one original: `{desk, number, act, agent}` → `{original}` or `{refused}`."""
    from functions.unseal.unsealing import UnsealRequest, open_original

    deployment = Deployment.of(context)

    def decrypt(desk: str, number: str, purpose: str, piece: bytes) -> bytes:
        response = aws.client("kms").decrypt(
            CiphertextBlob=piece,
            KeyId=deployment.contacts_key,
            EncryptionContext=aws.original_context(desk, number, purpose),
        )
        plaintext: bytes = response["Plaintext"]
        return plaintext

    request = UnsealRequest.model_validate(event)
    return open_original(request, container.storage(deployment), decrypt, clock.now()).model_dump()
