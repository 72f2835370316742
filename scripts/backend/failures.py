"""What the backend fails by on purpose, with the exit code that it answers with."""


class BackendError(Exception):
    """Something that a person can mend; the message says what and, where there is one, how."""

    exit_code = 1


class UsageError(BackendError):
    """What was asked cannot be meant."""

    exit_code = 2


class MissingError(BackendError):
    """Something needed is away: the database, the broker, a key."""

    exit_code = 69


class ConfigError(BackendError):
    """The config is wrong; a line for each finding."""

    exit_code = 78
