"""The function `administration` in the same process, for tests of the pages that call it."""

import pytest

from functions.administration import acts
from functions.core.domain.acts import ActRequest, ActResult
from functions.core.platform.settings import Deployment
from functions.core.storage.database import Storage
from functions.workbench import administration_client
from tests.core.sample_desk import NOON


def administer_here(monkeypatch: pytest.MonkeyPatch, storage: Storage) -> None:
    """Let acts be carried out in this process, through JSON as by Lambda."""

    def invoke(deployment: Deployment, request: ActRequest) -> ActResult:
        asked = ActRequest.model_validate_json(request.model_dump_json())
        answered = acts.answer(asked, deployment, storage, NOON)
        return ActResult.model_validate_json(answered.model_dump_json())

    monkeypatch.setattr(administration_client, "_invoke", invoke)
