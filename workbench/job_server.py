"""What the sample and font processes have in common: one request answered after the other, and a
look between two steps of a long one whether it was stopped.
"""

from __future__ import annotations

import os
from multiprocessing.connection import Connection
from typing import Any

from core.errors import Cancelled
from workbench import messages
from workbench.worker import failed


class JobServer:
    """Answers requests until the pipe closes; a subclass says by what (`answer`)."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self._stopped: set[int] = set()
        self._waiting: list[Any] = []  # requests that came while a job looked for a `Stop`

    def answer(self, request: Any) -> bool | None:
        """Send what was asked for; False or Cancelled where it was stopped."""
        raise NotImplementedError

    def serve(self) -> None:
        """The loop. Raises EOFError when the window's end of the pipe is closed."""
        self.pipe.send(messages.Ready(os.getpid()))
        while True:
            request = self._waiting.pop(0) if self._waiting else self.pipe.recv()
            if isinstance(request, messages.Quit):
                return
            if isinstance(request, messages.Stop):
                continue
            try:
                complete = self.answer(request)
            except Cancelled:
                self.pipe.send(messages.Done(request.job, complete=False))
            except Exception as error:  # noqa: BLE001  # everything becomes a sentence for the user
                self.pipe.send(failed(request.job, error))
            else:
                self.pipe.send(messages.Done(request.job, complete is not False))

    def is_stopped(self, job: int) -> bool:
        """Whether a `Stop` for the job has come. Raises EOFError for a `Quit`."""
        while self.pipe.poll():
            request = self.pipe.recv()
            if type(request) is messages.Quit:
                raise EOFError
            if type(request) is messages.Stop:
                self._stopped.add(request.job)
            else:
                self._waiting.append(request)
        return job in self._stopped
