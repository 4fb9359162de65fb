"""The two ways in which a write-back step ends early."""


class Refused(ValueError):
    """The request cannot be carried out as it stands; the message says what is wrong and what to do. Permanent."""


class TargetUnavailable(RuntimeError):
    """The target could not be reached before anything was sent; try again later. Transient."""
