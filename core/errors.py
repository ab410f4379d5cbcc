"""Everything that can stop the work, one class per cause.

Each text names the file or row and says what to do. `exit_code` is what the command line returns.
An odd glyph, an empty page or a refused blob is a result, not an error.
"""


class OcrError(Exception):
    """The base of all errors that are meant for the user's eye."""

    exit_code = 1


class Usage(OcrError):
    """The command or a setting does not make sense."""

    exit_code = 2


class Unreadable(OcrError):
    """A document, image or font file that cannot be read."""

    exit_code = 3


class NeedsPassword(Unreadable):
    """A PDF that opens only with a user password."""


class Missing(OcrError):
    """A model, lexicon, corpus or font that the work needs is not there."""

    exit_code = 4


class Mismatch(OcrError):
    """A checkpoint that does not fit the alphabet, or settings that do not fit the program."""

    exit_code = 5


class StageFailed(OcrError):
    """A stage raised; the tables made before it remain valid."""

    exit_code = 6

    def __init__(self, stage: str, message: str, traceback: str = "") -> None:
        super().__init__(f"stage {stage!r} failed: {message}")
        self.stage, self.message, self.traceback = stage, message, traceback

    def __reduce__(self):
        return StageFailed, (self.stage, self.message, self.traceback)


class Cancelled(OcrError):
    """The user stopped the work."""

    exit_code = 130
