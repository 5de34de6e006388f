"""The expected errors of the console: `main` prints each on one line and exits with code 1."""


class ConsoleError(Exception):
    """A command failed for a reason that the message states, with the remedy."""


class UsageError(ConsoleError):
    """The arguments do not allow the command to run."""
