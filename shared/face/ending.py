"""How a command ends: 0 done, 1 refused or stopped, 2 misuse, 3 a fault of the program.

The library that parses a command's words is the caller's, so its two kinds of errors come as arguments.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import Any, Final, cast

from shared.errors import Refusal
from shared.face.telling import note, refused

DONE: Final = 0
REFUSED: Final = 1
MISUSE: Final = 2
FAULT: Final = 3


def run(work: Callable[[], object], *, misuse: type[Exception], aborted: type[Exception], stopped: str) -> int:
    """Run a command's work and give the exit code; what it gives back, where that is a number, is the code.

    `misuse` is an error that shows itself with `show()`, `aborted` stands for Ctrl-C, and `stopped` is said then.
    """
    try:
        result = work()
    except Refusal as refusal:
        refused(refusal)
        return REFUSED
    except (aborted, KeyboardInterrupt):
        note(stopped)
        return REFUSED
    except misuse as error:
        cast("Any", error).show()
        return MISUSE
    except BrokenPipeError:
        sys.stderr.close()  # who read the output went away; there is nobody to tell
        return REFUSED
    except Exception:  # noqa: BLE001 - the command's edge: a bug is a traceback and an exit code of its own
        traceback.print_exc()
        note("fault: this is a bug of Lockgate; look into it before anything else is signed or sent")
        return FAULT
    return result if isinstance(result, int) else DONE
