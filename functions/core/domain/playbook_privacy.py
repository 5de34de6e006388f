"""The privacy notice of a desk: what customers agree to when they send a request (B10, H1)."""

from typing import Annotated

from pydantic import Field

from functions.core.domain.playbook_types import Section, Text


class PrivacyNotice(Section):
    """The notice beside the customers' form, in a version that is recorded with each request.

    A changed text needs a new `version`, or it is unknown what people agreed to.
    """

    version: Annotated[str, Field(pattern=r"^[\w.-]{1,40}$")]
    text: Text
