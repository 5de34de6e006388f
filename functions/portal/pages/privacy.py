"""The desk's privacy notice, in the version that requests record (B10, H1)."""

from __future__ import annotations

from functions.core.platform.web import HttpResponse
from functions.portal.page import CustomerPage

PATH = "privacy"


def get(page: CustomerPage) -> HttpResponse:
    """Show the notice."""
    notice = page.playbook.privacy
    return page.render("privacy.html", page.say("page.privacy"), notice=notice)
