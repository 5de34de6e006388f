"""The events of a ticket; `base` explains how to declare one.

One module per subject, as in `functions.core.domain.commands`; `commit` holds the events of one
change. Events are listed in the order of these imports.
"""

# ruff: noqa: I001 - see above

from __future__ import annotations

from functions.core.domain.events.base import (
    EVENTS as EVENTS,
    IMPERSONAL as IMPERSONAL,
    PERSONAL as PERSONAL,
    SCHEMA_VERSION as SCHEMA_VERSION,
    Event as Event,
)
from functions.core.domain.events.request import (
    Product as Product,
    TicketReceived as TicketReceived,
    TicketClassified as TicketClassified,
)
from functions.core.domain.events.routing import (
    ConfirmationRequested as ConfirmationRequested,
    TypeConfirmed as TypeConfirmed,
    CustomerAsked as CustomerAsked,
    TicketQueued as TicketQueued,
    TicketAssigned as TicketAssigned,
    PriorityChanged as PriorityChanged,
)
from functions.core.domain.events.conversation import (
    ReplySent as ReplySent,
    InformationRequested as InformationRequested,
    CustomerWrote as CustomerWrote,
    InformationReceived as InformationReceived,
    NoteAdded as NoteAdded,
    OriginalOpened as OriginalOpened,
)
from functions.core.domain.events.steps import (
    StepTaken as StepTaken,
    ApprovalRequested as ApprovalRequested,
    ApprovalGiven as ApprovalGiven,
    status_after_approval as status_after_approval,
)
from functions.core.domain.events.resolution import (
    TicketResolved as TicketResolved,
    TicketReopened as TicketReopened,
    SecondHandlingStarted as SecondHandlingStarted,
    ConfirmationGiven as ConfirmationGiven,
    CallbackRequested as CallbackRequested,
    SurveyAnswered as SurveyAnswered,
    SurveyExpired as SurveyExpired,
    ReviewRequested as ReviewRequested,
    ReviewAssigned as ReviewAssigned,
    CallbackRecorded as CallbackRecorded,
    ReviewExpired as ReviewExpired,
    TicketArchived as TicketArchived,
    TicketClosed as TicketClosed,
)
from functions.core.domain.events.merging import (
    TicketMerged as TicketMerged,
    MergeReceived as MergeReceived,
    TicketUnmerged as TicketUnmerged,
    MergeUndone as MergeUndone,
    TicketLinked as TicketLinked,
)
from functions.core.domain.events.customer import (
    CustomerClassed as CustomerClassed,
    ContactBounced as ContactBounced,
    ContactCorrected as ContactCorrected,
    HoldSet as HoldSet,
    PersonErased as PersonErased,
)
from functions.core.domain.events.deadlines import (
    TimerWarned as TimerWarned,
    TimerBreached as TimerBreached,
    TimersSet as TimersSet,
)
from functions.core.domain.events.commit import (
    MACHINES as MACHINES,
    Actor as Actor,
    Commit as Commit,
    readers as readers,
    waking_router as waking_router,
)
from functions.core.domain.ticket import Attachment as Attachment
