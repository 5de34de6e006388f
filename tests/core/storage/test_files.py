"""Signed links to files in the mail bucket."""

import pytest

from functions.core.domain.events import Attachment
from functions.core.platform import aws
from functions.core.storage.files import Files

pytestmark = pytest.mark.requirement("D10")
PAPER = Attachment(name="报告.pdf", content_type="application/pdf", size=9, key="files/d/a")


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_links_use_signature_version_4_and_the_regional_host(
    region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size and name of an upload are signed headers (AWS, "Signature Version 4")."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    files = Files(aws.client.__wrapped__("s3"), "mail")
    host = "mail.s3.amazonaws.com" if region == "us-east-1" else f"mail.s3.{region}.amazonaws.com"
    upload = files.create_upload("d", "CS1", "报告.pdf", 9)["upload"]
    assert upload["url"].startswith(f"https://{host}/uploads/d/CS1/")
    signed = "X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3Bx-amz-meta-name"
    assert signed in upload["url"]
    link = files.link(PAPER)
    assert link.startswith(f"https://{host}/files/d/a?")
    for part in ("X-Amz-Signature=", "X-Amz-Expires=300", "attachment%3B%20filename"):
        assert part in link
