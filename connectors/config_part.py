"""What every part of a system file has in common."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of a system file: closed, immutable, and silent about its input when it complains."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
