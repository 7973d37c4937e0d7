"""What the tools of an episode do: search, read, write and send, over its world.

One module for each toolkit in `privacy_tasks/toolkits`; importing it registers its tools.
"""

from privacy_tasks.agentic.live_tools import (
    directory,
    facebook_manager,
    gmail,
    google_calendar,
    messenger,
    notion_manager,
    shared_drive,
    slack,
    team_calendar,
    ticket_desk,
    zoom_manager,
)
from privacy_tasks.agentic.live_tools.desk import (
    Addresses,
    Desk,
    ToolRefusedError,
    carry_out,
    handled_tools,
)

__all__ = [
    "Addresses",
    "Desk",
    "ToolRefusedError",
    "carry_out",
    "directory",
    "facebook_manager",
    "gmail",
    "google_calendar",
    "handled_tools",
    "messenger",
    "notion_manager",
    "shared_drive",
    "slack",
    "team_calendar",
    "ticket_desk",
    "zoom_manager",
]
