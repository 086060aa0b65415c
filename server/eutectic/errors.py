"""The errors a user can see.

EutecticError
├── BadInput          a user's mistake: one clear line, exit code 2
│   ├── BadAudio      a clip that can't be read or used
│   │   ├── NoFile    there is none
│   │   └── Stalled   its disk doesn't answer
│   ├── BadSetting    a value out of range
│   ├── BadModel      an unknown model, missing or mismatched weights
│   ├── BadReference  a LoRA file that can't be read, or is for another model
│   ├── BadOutput     a file or folder that can't be written
│   ├── BadDevice     an audio device that is missing or can't be opened
│   └── BadInputs     several mistakes, a line each
└── Cancelled         the work was cancelled
"""


class EutecticError(Exception):
    """Base of everything raised on purpose; its text is one line for the user."""

    code = "error"


class BadInput(EutecticError):
    """Something that the user gave can't be used."""

    code = "bad_input"


class BadAudio(BadInput):
    """A clip that is missing, unreadable, silent, too short, too long or not finite."""

    code = "bad_audio"


class NoFile(BadAudio):
    """There is no such sound file."""

    code = "no_file"


class Stalled(BadAudio):
    """The disk that a sound file is on doesn't answer."""

    code = "stalled"


class BadSetting(BadInput):
    """A setting out of range, or two that exclude each other."""

    code = "bad_setting"


class BadModel(BadInput):
    """A model that is unknown, incomplete or doesn't match its configuration."""

    code = "bad_model"


class BadReference(BadInput):
    """A LoRA file that can't be read, or doesn't match the model."""

    code = "bad_reference"


class BadOutput(BadInput):
    """A file that can't be written."""

    code = "bad_output"


class BadDevice(BadInput):
    """An audio device that is missing or can't be opened."""

    code = "bad_device"


class BadInputs(BadInput):
    """Several mistakes at once; `all` has one or more."""

    def __init__(self, all: list[BadInput]) -> None:  # noqa: A002
        super().__init__("; ".join(map(str, all)))
        self.all = all


class Cancelled(EutecticError):
    """The work was cancelled between two network evaluations."""

    code = "cancelled"


def one_line(text: str) -> str:
    """A text as one line, its words as they are: names may hold any spaces."""
    return " ".join(line.strip(" \t") for line in text.splitlines())
