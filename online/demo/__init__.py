"""The demonstration: XRP from a cold to a hot wallet, Counterparty on Bitcoin, NEAR and a token on it.

The coordinator's part runs in this process, on the functions that the commands use; each signer command is a
process of its own, without a network where the system lets us take it away. Keys and money here are worth nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared.errors import DemoFailed, FileExists, FileTrouble, Refusal
from shared.transport.media import write_file


def run_demo(
    out: Path | None, say: Callable[[str], None], *, story: str | None = None, columns: int | None = None
) -> dict[str, Any]:
    """Run the demonstration into a new folder, telling each step, and give the report; of a story, if one is named.

    Lines are broken at so many columns where that is said.

    Raises:
        DemoFailed: if a step does not do what it should; the folder keeps what was made.
        FileExists, FileTrouble: if the folder cannot be made.
    """
    from online.demo.bitcoin import BitcoinJourney
    from online.demo.diary import Diary
    from online.demo.journey import PASSPHRASE, Journey
    from online.demo.near import NearJourney
    from online.demo.story_near import NearStory
    from online.demo.story_xcp import XcpStory
    from online.demo.story_xrp import XrpStory
    from online.demo.texts import README
    from online.demo.xrpl import XrplJourney

    folder = (out or Path("demo-out") / time.strftime("%Y%m%d-%H%M%S")).resolve()
    _make(folder)
    write_file(folder / "README.txt", README.format(passphrase=PASSPHRASE).encode())
    diary, ledgers = Diary(say, columns), []
    stories: dict[str, type[Journey]] = {"xrp": XrpStory, "xcp": XcpStory, "near": NearStory}
    journeys: list[Journey] = [stories[story](folder, diary)] if story else [
        XrplJourney(folder, diary), BitcoinJourney(folder / "bitcoin", diary), NearJourney(folder / "near", diary),
    ]  # fmt: skip
    try:
        for journey in journeys:
            with journey:
                ledgers.append(journey.run())
    except Refusal as refusal:
        code = "" if isinstance(refusal, DemoFailed) else f" [{refusal.code}]"
        raise DemoFailed(f"{diary.current}: {refusal}{code}") from refusal
    diary.tell_end(ledgers, folder)
    return {"ok": True, "out": str(folder), "seconds": diary.seconds, "ledgers": ledgers}


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise FileExists(f"{folder} exists already") from None
    except OSError as error:
        raise FileTrouble(f"{folder} can not be made: {error.strerror}") from None
