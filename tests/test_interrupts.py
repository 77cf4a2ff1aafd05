"""Ctrl-C waits for a safe moment, but is never lost."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from threading import Thread

import pytest
from pullfocus.engines.interrupts import GIVE_UP_AT, Interrupts, listen


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_is_raised_where_it_is_asked_for_only(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(number, signal.default_int_handler)
    try:
        with Interrupts() as interrupts:
            interrupts.check()
            os.kill(os.getpid(), number)
            with pytest.raises(KeyboardInterrupt):
                interrupts.check()
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)


def test_the_last_of_three_is_raised_at_once() -> None:
    with Interrupts():
        for _ in range(GIVE_UP_AT - 1):
            interrupt()
        with pytest.raises(KeyboardInterrupt):
            interrupt()


@pytest.fixture
def listening() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    listen()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_that_was_swallowed_at_the_start_is_raised_again(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)
    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt):
        interrupts.check()
    with Interrupts() as interrupts:
        interrupts.check()


def test_an_ignored_ctrl_c_stays_ignored() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        listen()
        interrupt()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_another_programs_handler_stays() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        with Interrupts() as interrupts:
            interrupt()
            interrupts.check()
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]


def test_outside_the_main_thread_it_does_nothing() -> None:
    failures: list[Exception] = []

    def work() -> None:
        try:
            with Interrupts() as interrupts:
                interrupts.check()
        except Exception as error:
            failures.append(error)

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert failures == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["numpy", "cv2", "typer", "pullfocus.stream.live_command"])
def test_while_the_program_loads_it_ends_at_once_and_silently(module: str, number: signal.Signals) -> None:
    """It comes where `module` is imported."""
    code = f"""
import os, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), {int(number)})
sys.meta_path.insert(0, Interrupting())
sys.argv = ["pullfocus", "--version"]
from pullfocus.entry import main
main()
"""
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_the_command_line_runs_as_a_module_too() -> None:
    command = [sys.executable, "-P", "-m", "pullfocus.stream.cli", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.startswith("pullfocus ")
    assert (done.returncode, done.stderr) == (0, "")
