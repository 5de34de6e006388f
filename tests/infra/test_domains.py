"""Names of one's own for the API: their values, their stacks, and the URL that links begin with."""

import json
import re
from itertools import product

import boto3
import pytest
from typer.testing import CliRunner

from functions.core.domain.errors import PlaybookError
from functions.core.playbook import load
from infra.console.main import app as console
from infra.deploy import steps
from infra.deploy.domains import TEMPLATE, Domain, DomainError, require_valid
from infra.deploy.stacks import load_template
from tests.aws_snapshots import aws_in_memory
from tests.core.sample_desk import DESK

pytestmark = pytest.mark.requirement("F7")
REGION = "eu-central-1"
ARN = f"arn:aws:acm:{REGION}:123456789012:certificate/0a1b2c3d-1111-2222-3333-444455556666"


def test_no_two_names_share_a_stack() -> None:
    """One of them would replace the other, whose links would end."""
    written = ("".join(each) for length in range(3, 9) for each in product("a-.", repeat=length))
    names = [name for name in written if re.fullmatch(r"a([a-]*a)?(\.a([a-]*a)?)+", name)]
    assert len(names) > 100
    assert len({Domain(name, ARN).stack("prod") for name in names}) == len(names)


@pytest.mark.parametrize("name", ["help.example.com", "xn--fiqs8s.example", "a-b.c2.example.co"])
@pytest.mark.parametrize("base_path", ["", "help", "Help-2_b"])
def test_names_that_work_are_accepted(name: str, base_path: str) -> None:
    domain = Domain(name, ARN, base_path)
    require_valid(domain, REGION)
    content = {**DESK, "public_url": domain.url}
    assert load(content).public_url == domain.url
    assert len(domain.stack("a" * 16)) <= 128


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        (Domain("Help.example.com", ARN), "DomainName"),
        (Domain("https://help.example.com", ARN), "DomainName"),
        (Domain("help.example.com/", ARN), "DomainName"),
        (Domain("-help.example.com", ARN), "DomainName"),
        (Domain("*.example.com", ARN), "DomainName"),
        (Domain("localhost", ARN), "DomainName"),
        (Domain("h" * 60 + ".example.com", ARN), "DomainName"),
        (Domain("help.example.com\n", ARN), "DomainName"),
        (Domain("help.example.com", ""), "CertificateArn"),
        (Domain("help.example.com", ARN.replace("acm", "iam")), "CertificateArn"),
        (Domain("help.example.com", ARN.replace(REGION, "us-east-1")), REGION),
        (Domain("help.example.com", ARN, "/help"), "BasePath"),
        (Domain("help.example.com", ARN, "help/"), "BasePath"),
        (Domain("help.example.com", ARN, "a/b"), "BasePath"),
        (Domain("help.example.com", ARN, "(none)"), "BasePath"),
    ],
)
def test_a_value_that_cannot_work_is_named(domain: Domain, said: str) -> None:
    with pytest.raises(DomainError, match=said):
        require_valid(domain, REGION)


@pytest.mark.parametrize(
    "url",
    [
        "http://help.example.com", "https://help.example.com/", "https://help.example.com/a/b",
        "https://help.example.com?x=1", "https://help.example.com#x",
        "https://user@help.example.com", "https://help.example.com:8443",
        "https://HELP.example.com", "https://help.example.com\n", "https://localhost", "",
    ],
)  # fmt: skip
def test_links_cannot_begin_with_anything_else(url: str) -> None:
    with pytest.raises(PlaybookError, match=r"public_url.*https://help\.example\.com"):
        load({**DESK, "public_url": url})
    if url:
        done = CliRunner().invoke(console, ["deploy", "--stage", "prod", "--api-url", url])
        assert done.exit_code != 0
        assert "--api-url" in str(done.exception)


def test_a_wrong_domain_is_refused_before_anything_is_created(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr(boto3, "client", lambda *_, **__: pytest.fail("AWS was asked"))
    with pytest.raises(DomainError):
        steps.deploy("prod", pytest.fail, steps.Variant(domain=Domain("Help", ARN)))


@pytest.mark.parametrize(
    ("stored", "kept"),
    [
        (None, None),
        ("https://help.example.com/desk", "https://help.example.com/desk"),
        ("https://a1b2.execute-api.eu-central-1.amazonaws.com/api", None),
        ("https://a1b2.execute-api.cn-north-1.amazonaws.com.cn/api", None),
    ],
)
def test_a_deployment_without_the_option_keeps_the_stage_s_own_url(
    stored: str | None, kept: str | None
) -> None:
    """API Gateway's own follows from the API's id instead."""
    with aws_in_memory(REGION):
        if stored:
            boto3.client("ssm").put_parameter(
                Name="/deskbell/prod/api", Type="String", Value=json.dumps({"url": stored})
            )
        assert steps._own_url("prod") == kept


def test_the_name_leads_to_the_stage_that_chalice_deploys() -> None:
    config = json.loads((steps.ROOT / ".chalice" / "config.json").read_text("utf-8"))
    mapping = load_template(TEMPLATE)["Resources"]["Mapping"]["Properties"]
    assert {stage["api_gateway_stage"] for stage in config["stages"].values()} == {mapping["Stage"]}
    (endpoint,) = load_template(TEMPLATE)["Resources"]["Domain"]["Properties"][
        "EndpointConfiguration"
    ]["Types"]
    assert endpoint == config["api_gateway_endpoint_type"]
