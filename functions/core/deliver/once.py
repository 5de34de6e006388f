"""boto3 clients that send a request once.

botocore retries a request that timed out, which could send a message or ask a language model twice.
These clients do not; `functions.notify.base_dispatch` decides on retries.
"""

import os
from functools import lru_cache
from typing import Any

from functions.core.platform import metering


@lru_cache(maxsize=8)
def client(service: str, read_timeout: float = 15) -> Any:
    """Return a boto3 client without retries, cached for the container and typed by the caller."""
    import boto3
    from botocore.config import Config

    made = boto3.client(
        service,  # type: ignore[call-overload]  # the name is the caller's choice
        config=Config(  # type: ignore[call-arg]  # the stubs lag behind: user_agent_appid
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=3,
            read_timeout=read_timeout,
            user_agent_appid=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "deskbell")[:50],
        ),
    )
    return metering.watch(made)
