"""The address of the local system."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STAGE = "local"
ACCOUNT = "000000000000"
REGION = "us-east-1"


@dataclass(frozen=True)
class Ports:
    http: int = 8700
    aws: int = 4566
    smtp: int = 2525


def aws_environment(ports: Ports) -> dict[str, str]:
    """The environment variables that direct boto3 to the emulator."""
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports.aws}",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def description(data: Path) -> Any:
    """Read what the local system of a data folder says of itself; None if none runs there."""
    try:
        return json.loads((data / "local.json").read_text("utf-8"))
    except FileNotFoundError:
        return None


def connect(data: Path) -> bool:
    """Direct boto3 to the local system of a data folder; return False if none runs there."""
    found = description(data)
    if found is None:
        return False
    os.environ.update(aws_environment(Ports(aws=int(found["aws_endpoint"].rpartition(":")[2]))))
    return True
