"""`deskbell-<stage>-unseal`: opens an original or a contact for the agents' API (G4)."""

from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint

from functions.core.platform import aws, clock, container
from functions.core.platform.metering import metered
from functions.core.platform.settings import Deployment, LambdaContext

bp = Blueprint(__name__)


@bp.lambda_function(name="unseal")
@metered
def unseal(event: Any, context: LambdaContext) -> dict[str, Any]:
    """Open what an act names: `{desk, number, act, agent}` → `{original}` or `{refused}`."""
    from functions.unseal import unsealing

    deployment = Deployment.of(context)

    def decrypt(encryption_context: Mapping[str, str], piece: bytes) -> bytes:
        response = aws.client("kms").decrypt(
            CiphertextBlob=piece,
            KeyId=deployment.contacts_key,
            EncryptionContext=encryption_context,
        )
        plaintext: bytes = response["Plaintext"]
        return plaintext

    request = unsealing.UnsealRequest.model_validate(event)
    storage, now = container.storage(deployment), clock.now()
    return unsealing.unseal(request, storage, decrypt, now).model_dump()
