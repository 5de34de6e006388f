"""The events of a ticket; `base` explains how to declare one.

One module per subject, as in `functions.core.domain.commands`; `waking` says whom
a commit wakes. Events are listed in the order of these imports.
"""

# ruff: noqa: F403, I001 - all classes of a module are re-exported, in the order of the imports

from functions.core.domain.events.base import (
    EVENTS as EVENTS,
    MACHINES as MACHINES,
    SCHEMA_VERSION as SCHEMA_VERSION,
    Actor as Actor,
    Commit as Commit,
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
from functions.core.domain.events.waking import readers as readers, waking_router as waking_router
from functions.core.domain.ticket import Attachment as Attachment
