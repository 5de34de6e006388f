"""The events of a ticket; `base` explains how to declare one.

One module per subject, as in `functions.core.domain.commands`; `commit` holds the events of one
change. Events are listed in the order of these imports.
"""

# ruff: noqa: F403, I001 - all classes of a module are re-exported, in the order of the imports

from __future__ import annotations

from functions.core.domain.events.base import (
    EVENTS as EVENTS,
    SCHEMA_VERSION as SCHEMA_VERSION,
    Event as Event,
)
from functions.core.domain.events.request import *
from functions.core.domain.events.routing import *
from functions.core.domain.events.conversation import *
from functions.core.domain.events.steps import *
from functions.core.domain.events.resolution import *
from functions.core.domain.events.merging import *
from functions.core.domain.events.customer import *
from functions.core.domain.events.deadlines import *
from functions.core.domain.events.commit import (
    MACHINES as MACHINES,
    Actor as Actor,
    Commit as Commit,
    readers as readers,
    waking_router as waking_router,
)
from functions.core.domain.ticket import Attachment as Attachment
