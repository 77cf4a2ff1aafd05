"""A live input that may stall, go away and come back: a camera that is unplugged, a network that is down.

It is read in a thread of its own, for a driver or FFmpeg may block for as long as it likes: the run goes on showing the
last picture, answers Ctrl-C, and ends without waiting for that thread.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from threading import Event, Thread
from time import monotonic
from typing import Protocol

from ..kernels.errors import InputError
from .channel import Channel, ChannelClosed
from .clock import LONGEST_GAP_S, OneClock
from .damage import Damage, Telling
from .frame import Frame, for_card

STALL_S = 2.0  # without a picture: then the user is told
START_S = 8.0  # for the first picture
RETRY_S = 0.5  # between two tries to open what is away
CLOSE_S = 1.0  # how long the end of a run waits for an input to be closed


class LiveInput(Protocol):
    """One opened input. One thread reads and closes it."""

    @property
    def ends(self) -> bool:
        """Its last frame is the end of the film; an input that does not end is waited for when it stops."""
        ...

    @property
    def notes(self) -> list[str]:
        """What the user should know: when it has been opened, and more when it has been read."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Raises InputError when no more can be read."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Absence:
    """How often an input gave no picture for STALL_S or longer, and for how many seconds in all."""

    losses: int = 0
    away_s: float = 0.0

    def more(self, seconds: float) -> Absence:
        return Absence(self.losses + 1, self.away_s + seconds)


def say(message: str) -> None:
    """To the user, while the run goes on."""
    print(f"pullfocus: {message}", file=sys.stderr, flush=True)


class Reconnecting:
    """Frames of an input that is opened again for as long as it is away; meanwhile the last one is repeated.

    A live one lets the newest frame win and repeats; another loses and adds none. Times are the input's own where they
    agree with the clock, so that a loss is as long in a recording as it was.
    """

    def __init__(
        self,
        name: str,
        opened: Callable[[], LiveInput],
        *,
        live: bool = True,
        own_size: bool = False,
        notes: Sequence[str] = (),
        tell: Callable[[str], None] = say,
        stall_s: float = STALL_S,
        start_s: float = START_S,
    ) -> None:
        """Waits for the first picture. Raises InputError when it cannot be had within `start_s`.

        name: for messages. opened: opens the input, again and again, in another thread. own_size: see `LiveSource`.
        notes: for the report, beside the input's own.
        """
        self.name, self.live, self.own_size = name, live, own_size
        self._past, self._seen_s, self._is_away, self._has_hope = Absence(), monotonic(), False, False
        self._opened, self._tell, self._stall_s = opened, tell, stall_s
        self._mailbox: Channel[tuple[int, Frame]] = Channel(name, 1, newest_wins=live)
        self._ready, self._stop = Event(), Event()
        self.first_hw = (0, 0)  # the size of its first picture
        self.for_card = False  # as of `GivesPlanes`; the input hears of it before its next frame
        self._error: BaseException | None = None
        self._reason, self._ends = "", False
        self._told, self._last_notes = list[str](), list[str]()
        self._damages: list[Damage] = []  # of each time it was opened
        self._reader = Thread(target=self._read, name=f"pullfocus-input {name}", daemon=True)
        self._reader.start()
        self._wait_for_first(start_s)
        self._tell_new(notes)

    def _wait_for_first(self, start_s: float) -> None:
        try:
            if not self._ready.wait(start_s):
                raise InputError(f"{self.name}: no picture within {start_s:g} s; is it running, and can it be reached?")
        except BaseException:
            self.close()
            raise
        if self._error is not None:
            raise self._error

    # In the reader's thread.

    def _read(self) -> None:
        try:
            session = 0
            while not self._stop.is_set():
                session += 1
                if self._read_until_lost(session):
                    self._mailbox.close()
                    return
                self._stop.wait(RETRY_S)
        except ChannelClosed:
            pass  # the run has ended
        except BaseException as error:
            self._error = error
            self._mailbox.close()
        finally:
            self._ready.set()

    def _read_until_lost(self, session: int) -> bool:
        """Whether the input has come to its end. Raises InputError where it will not come back."""
        opened: LiveInput | None = None
        try:
            opened = self._opened()
            if opened.ends and self._ready.is_set() and not self._ends:
                return True  # it was live, and is a film now: a playlist that has got its end
            self._ends = opened.ends
            if isinstance(opened, Telling):
                self._damages.append(opened.damage)
            self._tell_new(opened.notes)
            for frame in opened.frames():
                for_card(opened, self.for_card)
                self.first_hw = self.first_hw if self._ready.is_set() else frame.size_hw
                self._mailbox.put((session, frame))
                self._ready.set()
            self._reason = "it ended"
            return opened.ends or self._never_gave_a_picture()
        except InputError as error:
            if not self._ready.is_set() or self._ends:
                raise
            self._reason = str(error)
            return False
        finally:
            if opened is not None:
                self._last_notes = opened.notes
                opened.close()

    def _never_gave_a_picture(self) -> bool:
        if not self._ready.is_set():
            raise InputError(f"{self.name}: it ended before its first picture")
        return False

    def _tell_new(self, notes: Sequence[str]) -> None:
        for note in notes:
            if note not in self._told:
                self._told.append(note)
                self._tell(note)

    # In the run's thread.

    def frames(self) -> Iterator[Frame]:
        """Frames until the input's end, if it has one. Raises InputError when one that has breaks."""
        times, last = OneClock(), None
        for arrival in self._arrivals():
            if arrival is not None:
                session, frame = arrival
                last = frame if self._ends else times.on_the_clock(frame, session)
            elif not self.live or last is None:
                continue
            else:
                last = times.again(last)
            yield last
        if self._error is not None:
            raise self._error

    def _arrivals(self) -> Iterator[tuple[int, Frame] | None]:
        """What the reader puts in the mailbox; None when nothing has come for a while."""
        self._seen_s = monotonic()
        while True:
            try:
                arrival = self._mailbox.get(min(LONGEST_GAP_S, self._stall_s))
            except TimeoutError:
                self._miss()
                yield None
            except ChannelClosed:
                return
            else:
                self._see()
                yield arrival

    def _miss(self) -> None:
        self._has_hope = False
        if self._away_s() and not self._is_away:
            self._is_away = True
            reason = f" ({self._reason})" if self._reason else ""
            self._tell(f"{self.name} gave no picture for {self._stall_s:g} s{reason}; waiting for it")

    def _see(self) -> None:
        if self._is_away and not self._has_hope:
            self._has_hope = True  # one alone may be what a decoder still held; two are a return
            return
        if self._is_away:
            away_s = self._away_s()
            self._past = self._past.more(away_s)
            self._tell(f"{self.name} is back after {away_s:.1f} s")
        self._seen_s, self._is_away, self._has_hope, self._reason = monotonic(), False, False, ""

    def _away_s(self) -> float:
        """For how long no picture has come, 0 while that is nothing to speak of."""
        seconds = monotonic() - self._seen_s
        return seconds if seconds >= self._stall_s else 0.0

    @property
    def is_away(self) -> bool:
        """No picture has come for STALL_S. Any thread may ask."""
        return self._is_away

    @property
    def absence(self) -> Absence:
        """Until now, for the report."""
        return self._past.more(self._away_s()) if self._is_away else self._past

    @property
    def damage(self) -> Damage | None:
        """In all that was read until now; None where the input does not tell."""
        return reduce(Damage.more, self._damages, Damage()) if self._damages else None

    @property
    def notes(self) -> list[str]:
        broken = self.damage.notes() if self.damage is not None else []
        return list(dict.fromkeys([*self._told, *self._last_notes, *broken]))

    def close(self) -> None:
        """End the reading thread, or leave it behind where a driver holds it: it dies with the process."""
        self._stop.set()
        self._mailbox.close(discard=True)
        self._reader.join(CLOSE_S)
