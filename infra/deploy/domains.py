"""Names of one's own for the HTTP API, each in a stack of its own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import boto3

from infra.deploy.stacks import deploy_stack, load_template

TEMPLATE = Path(__file__).resolve().parents[1] / "templates" / "domain.yaml"


class DomainError(ValueError):
    """A value of a domain cannot work."""


@dataclass(frozen=True)
class Domain:
    """A name, the ARN of its certificate, and the path under which it leads to the API."""

    name: str
    certificate: str
    base_path: str = ""

    @property
    def url(self) -> str:
        return f"https://{self.name}" + (f"/{self.base_path}" if self.base_path else "")

    def stack(self, stage: str) -> str:
        """The stack's name, different for every name: no part of one begins or ends with `-`."""
        return f"deskbell-{stage}-domain-{self.name.replace('-', '--').replace('.', '-')}"

    def parameters(self) -> dict[str, str]:
        return {
            "DomainName": self.name,
            "CertificateArn": self.certificate,
            "BasePath": self.base_path,
        }


def require_valid(domain: Domain, region: str) -> None:
    """Raise `DomainError` for a value that the template or API Gateway refuses."""
    declared = load_template(TEMPLATE)["Parameters"]
    for key, value in domain.parameters().items():
        rule = declared[key]
        fits = re.fullmatch(rule["AllowedPattern"], value)
        if not fits or len(value) > rule.get("MaxLength", len(value)):
            raise DomainError(f"{key} {value!r}: {rule['ConstraintDescription']}")
    if domain.certificate.split(":")[3] != region:
        raise DomainError(
            f"CertificateArn {domain.certificate!r}: expected a certificate in {region}, the "
            "region of the stage"
        )


def deploy_domain(stage: str, api_id: str, domain: Domain) -> Mapping[str, str]:
    return deploy_stack(
        boto3.client("cloudformation"),
        domain.stack(stage),
        TEMPLATE,
        {"ApiId": api_id, **domain.parameters()},
    )
