"""What a person sees of a training: a bar on a terminal, short lines in a log."""

import re

import pytest

from sanmodel.progress import LOG_LINES, TerminalObserver


def train(steps: int, done: int = 0) -> None:
    with TerminalObserver() as terminal:
        terminal.start("pretrain", steps, done)
        for step in range(done + 1, steps + 1):
            terminal.speed(123.456)
            terminal.losses(step, {"J_D": 26000.0 + step, "J_total": 0.5})
            terminal.advance()


def test_a_log_gets_a_few_short_lines(capsys: pytest.CaptureFixture[str]):
    train(100)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == LOG_LINES
    assert lines[-1] == "pretrain: 100/100 123.5 images/s J_D=2.61e+04 J_total=0.5"


def test_a_log_line_says_no_more_than_is_known(capsys: pytest.CaptureFixture[str]):
    with TerminalObserver() as terminal:
        terminal.start("fetch", 1)
        terminal.advance()
    assert capsys.readouterr().err == "fetch: 1/1\n"


def test_a_terminal_shows_speed_and_loss_terms(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb-no-more")
    monkeypatch.setenv("COLUMNS", "160")
    train(20, done=5)
    shown = re.sub(r"\x1b\[[?\d;]*[a-zA-Z]", "", capsys.readouterr().err)
    assert "pretrain: going on after 5 of 20" in shown
    last = shown.strip().splitlines()[-1]
    for part in ("20/20", "123.5 images/s", "J_D=2.602e+04", "J_total=0.5"):
        assert part in last


def test_the_next_task_does_not_show_the_last_ones_losses(capsys: pytest.CaptureFixture[str]):
    with TerminalObserver() as terminal:
        terminal.start("train", 1)
        terminal.losses(1, {"J_G": 1.0})
        terminal.advance()
        terminal.start("examples", 1)
        terminal.advance()
    assert capsys.readouterr().err.splitlines() == ["train: 1/1 J_G=1", "examples: 1/1"]
