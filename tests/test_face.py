"""What both commands have in common: prompts, progress, refusals, and how a command ends."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from offline_signer.cli import main as signer_main
from online import cli as online_cli
from shared.errors import BadWords, MissingInput, PassphrasesDiffer, Refusal, WeakPassphrase
from shared.face import ending, prompts, telling
from shared.transport.collector import Progress
from shared.transport.message import Scan


class Misuse(Exception):
    def show(self) -> None:
        sys.stderr.write("Usage: rather so\n")


class Aborted(Exception):
    pass


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


# --- prompts ----------------------------------------------------------------------------------------------


def test_each_question_takes_one_line_and_stands_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, " yes \r\n  a secret \r\nlong enough\nlong enough\n")
    assert prompts.ask("approve? ") == "yes"
    assert prompts.ask_secret("passphrase") == "  a secret "
    assert prompts.ask_new_secret("new passphrase") == "long enough"
    shown = capsys.readouterr()
    assert (shown.out, "secret" in shown.err, "long" in shown.err) == ("", False, False)
    assert shown.err.split("\n") == ["approve? ", "passphrase: ", "new passphrase: ", "new passphrase, again: ", ""]


@pytest.mark.parametrize(("text", "kind"), [
    ("", MissingInput),
    ("short\nshort\n", WeakPassphrase),
    ("long enough\n", MissingInput),
    ("long enough\nother enough\n", PassphrasesDiffer),
])
def test_a_new_secret_is_long_and_typed_twice_the_same(
    monkeypatch: pytest.MonkeyPatch, text: str, kind: type[Refusal]
) -> None:
    typed(monkeypatch, text)
    with pytest.raises(kind) as caught:
        prompts.ask_new_secret("new passphrase")
    assert "enough" not in str(caught.value)


# --- progress ---------------------------------------------------------------------------------------------


class Screen(io.StringIO):
    def __init__(self, *, live: bool) -> None:
        super().__init__()
        self.live = live

    def isatty(self) -> bool:
        return self.live


@pytest.mark.parametrize(("live", "expected"), [
    (False, "3 of 3 frames, 50 % of 4 pictures readable\n"),
    (True, "\r1 of 3 frames, 100 % of 1 pictures readable\x1b[K\r3 of 3 frames, 50 % of 4 pictures readable\x1b[K\n"),
])
def test_progress_ends_with_its_line_and_is_one_line_where_nobody_watches(
    monkeypatch: pytest.MonkeyPatch, live: bool, expected: str
) -> None:
    screen = Screen(live=live)
    monkeypatch.setattr(sys, "stderr", screen)
    show = telling.progress_line()
    show(Scan(Progress(count=3, had=1), 1, 1))
    show(Scan(Progress(count=3, had=3, done=True), 4, 2))
    assert screen.getvalue() == expected


# --- endings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("raised", "code", "said"), [
    (BadWords("word \x1b 3"), 1, "error: word \\u{1b} 3 [bad-words]\nhint: "),
    (Misuse(), 2, "Usage: rather so\n"),
    (Aborted(), 1, "stopped, say\n"),
    (KeyboardInterrupt(), 1, "stopped, say\n"),
    (ValueError("a bug"), 3, "Traceback"),
])
def test_every_end_has_its_code_and_its_words(
    capsys: pytest.CaptureFixture[str], raised: BaseException, code: int, said: str
) -> None:
    def work() -> None:
        raise raised

    assert ending.run(work, misuse=Misuse, aborted=Aborted, stopped="stopped, say") == code
    told = capsys.readouterr()
    assert (told.out, told.err.startswith(said)) == ("", True), told.err
    assert ("fault: " in told.err) == (code == 3)


@pytest.mark.parametrize(("result", "code"), [(None, 0), ("text", 0), (0, 0), (2, 2)])
def test_a_number_that_comes_back_is_the_exit_code(result: object, code: int) -> None:
    assert ending.run(lambda: result, misuse=Misuse, aborted=Aborted, stopped="") == code


def test_a_reader_that_went_away_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert ending.run(work, misuse=Misuse, aborted=Aborted, stopped="") == 1
    assert sys.stderr.closed


def test_both_commands_say_the_same_of_misuse_and_of_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for words, code in ((["nonsense"], 2), (["person", "new"], 2), (["--help"], 0)):
        assert online_cli.main(words) == code
        monkeypatch.setattr(sys, "argv", ["lockgate-signer", *words])
        with pytest.raises(SystemExit) as ended:
            signer_main()
        assert ended.value.code == code
    capsys.readouterr()
    assert online_cli.main(["order", "list"]) == 1
    monkeypatch.setattr(sys, "argv", ["lockgate-signer", "policy", "show"])
    with pytest.raises(SystemExit) as ended:
        signer_main()
    lines = capsys.readouterr().err.splitlines()
    assert ended.value.code == 1
    assert [line.split(":")[0] for line in lines] == ["error", "hint", "error", "hint"]
