"""The one family of errors that a user can cause and mend.

Every known mistake raises `UserError`; the command line prints it as one line and exits with 2.
"""


class UserError(Exception):
    """A mistake of the user: says what is wrong, the value, and what to do. Never shows a traceback."""

    def __str__(self) -> str:
        return " ".join(str(self.args[0]).split()) if self.args else "unknown error"


def of_system(error: OSError) -> UserError:
    """What the system refused, such as a permission or a name's length, as a mistake: the path, and what it said."""
    what = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
    return UserError(f"{what}: correct the path or what lies there, and run again")


class ConfigError(UserError):
    """A key or value of the configuration is wrong."""


class AudioError(UserError):
    """A file is missing, or is not audio that can be decoded."""


class TextError(UserError):
    """A text cannot be normalised or labelled; `reason` is the short name used in manifests."""

    def __init__(self, message: str, reason: str):
        super().__init__(message)
        self.reason = reason


class CorpusError(UserError):
    """A corpus is absent or has another layout than its reader expects."""


class ShardError(UserError):
    """A shard is damaged or belongs to another inventory."""


class CheckpointError(UserError):
    """A checkpoint is absent, damaged, or belongs to another model or inventory."""


class TrainingError(UserError):
    """Training met a loss or gradient that is not a number, or an impossible batch."""
