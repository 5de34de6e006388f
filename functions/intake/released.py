"""Requests that an operator released from quarantine: each is read again by what took it first."""

from datetime import datetime

from functions.core.platform.settings import Deployment
from functions.core.storage.quarantined import released_call


def receive(body: str, deployment: Deployment, now: datetime) -> bool:
    """Process a released request, whose signature or key was right when it came; False for a mail.

    Raises:
        DeadLetter: its body is gone, or the desk does not use the channel any more.
    """
    call = released_call(body)
    if call is None:
        return False
    if call["channel"] == "form":
        from functions.intake.forms import create_released as process
    elif call["channel"] == "sms-reports":
        from functions.intake.sms_reports import receive_released as process
    else:
        from functions.intake.channels import receive_released as process
    process(call, deployment, now)
    return True
