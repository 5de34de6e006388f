"""The small desk with a team of supervisors, and recipients of reports."""

import pytest

from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from tests.core.sample_desk import DESK, both


@pytest.fixture(scope="session")
def playbook() -> Playbook:
    leads = {"label": both("主管组"), "role": "supervisor", "mailbox": "leads@testdesk.local"}
    recipients = ["supervisor", "mail:boss@example.com"]
    document = {
        **DESK,
        "teams": {**DESK["teams"], "leads": leads},
        "reports": {"recipients": recipients, "kinds": ["weekly"]},
    }
    return load(document)
