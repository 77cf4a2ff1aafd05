"""Ctrl-C waits for a safe moment, but is never lost."""

import os
import signal
from threading import Thread

import pytest
from pullfocus.stream.interrupts import GIVE_UP_AT, Interrupts


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
