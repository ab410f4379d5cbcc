"""Whether a window can be shown at all; asked before Qt is imported, since Qt aborts where not."""

from __future__ import annotations

import os
import re
import socket
import sys

X_SOCKETS = "/tmp/.X11-unix/X"  # where X servers of this machine listen
X_PORT = 6000                   # plus the display's number, for those of other machines
PATIENCE = 2.0                  # s for a remote X server to answer


def has_display() -> bool:
    """True where Qt will find a display. Only Linux and the BSDs can be without one.

    A DISPLAY left over from a closed session names a server that does not answer: that counts as
    none, because Qt's X11 plugin would end the process.
    """
    if os.environ.get("QT_QPA_PLATFORM") or sys.platform in ("win32", "darwin"):
        return True
    if os.environ.get("WAYLAND_DISPLAY"):
        return True
    return answers(os.environ.get("DISPLAY", ""))


def answers(display: str) -> bool:
    """Whether the X server of a DISPLAY such as ":0", "unix:1.0" or "host:10.0" accepts a call."""
    found = re.fullmatch(r"(.*?):(\d+)(?:\.\d+)?", display)
    if not found:
        return False
    host, number = found[1], int(found[2])
    if host not in ("", "unix"):
        return _connects(socket.AF_INET, (host, X_PORT + number))
    path = f"{X_SOCKETS}{number}"  # a file, or on Linux an abstract name
    return _connects(socket.AF_UNIX, path) or _connects(socket.AF_UNIX, "\0" + path)


def _connects(family: int, address: object) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as call:
        call.settimeout(PATIENCE)
        try:
            call.connect(address)
        except OSError:
            return False
    return True
