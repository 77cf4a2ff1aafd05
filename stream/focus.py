"""Where the focus is in every frame: what the user asked for, or a script, followed and eased through time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TypeAlias

from ..kernels.api import Centres
from .config import Settings
from .easing import Glide, Pull, SteadyGoal
from .faces import FaceFinder, FaceTracker, YuNet
from .focus_script import Entry, ScriptRun
from .follow import PointAim
from .frame import FocusPlan, Sensed
from .state import Remembers, State
from .subject import SubjectAim, nearest_visible, small_copy
from .targets import Auto, Fixed, LayerNumber, Nearest, Point, Target, parse_focus, write_target

TURN_S = 0.25  # in which the aperture follows a user's hand
DEAD_BAND = 0.02  # of inverse depth: a subject that wanders within it does not move the focus
Aim: TypeAlias = Callable[[Sensed, Centres], float]  # the inverse depth of a target, frame by frame


class FocusPuller:
    """Gives every frame its focus plan. One thread calls `plan` and `reset`.

    `target`, `held` and `aperture` may be set at any time from another thread (a click in the window); a script sets
    target and aperture, too. A target is begun anew when another object takes its place. held: the focus stays at the
    depth where it is.
    """

    def __init__(self, settings: Settings, faces: FaceFinder | None = None) -> None:
        """faces: what finds them; else the model that `settings` name, if any. Raises InputError for that."""
        if faces is None and settings.face_model is not None:
            faces = YuNet(settings.face_model)
        self.target = settings.focus
        self.held = False
        self._faces = FaceTracker(faces) if faces is not None else None
        self._script = ScriptRun(settings.script) if settings.script is not None else None
        self._dead_zone = settings.dead_zone
        self.aperture = self._aperture = settings.aperture
        self._aimed_at: Target | None = None
        self._aim: Aim | None = None
        self._focus: Glide | None = None
        # With a wide dead zone the subject stays well in focus for longer.
        self._goal = SteadyGoal(max(DEAD_BAND, settings.dead_zone / 2))
        self._pull: Pull | None = None
        self._aperture_pull: Pull | None = None
        self._time_s = 0.0
        self._has_begun = False

    def plan(self, sensed: Sensed, centres: Centres) -> FocusPlan:
        """The focus plan for this frame."""
        time_s = sensed.frame.time_s
        for entry, start_s in self._script.due(sensed.frame) if self._script is not None else ():
            self._begin(entry, start_s)
        self._turn_aperture(time_s)
        wanted = self._take_aim()(sensed, centres)
        if self.held and self._focus is not None:
            wanted = self._focus.value
        focus = self._pulled(wanted, time_s, max(0.0, time_s - self._time_s))
        self._time_s, self._has_begun = time_s, True
        return FocusPlan(focus, self._aperture_at(time_s), self._dead_zone)

    def reset(self) -> None:
        """Forget the scene: with the next frame the focus is at its goal, whatever that is in the new one."""
        self._aim = self._focus = self._pull = None
        if self._faces is not None:
            self._faces.reset()

    def state(self) -> State:
        aim = self._aim
        return {
            "target": write_target(self.target),
            "aimed_at": None if self._aimed_at is None else write_target(self._aimed_at),
            "aims": aim is not None,
            "aim": aim.state() if isinstance(aim, Remembers) else None,
            "faces": self._faces.state() if self._faces is not None else None,
            "script": self._script.state() if self._script is not None else None,
            "focus": self._focus.state() if self._focus is not None else None,
            "goal": self._goal.state(),
            "pull": _pull_state(self._pull),
            "aperture_pull": _pull_state(self._aperture_pull),
            "aperture": self._aperture,
            "time_s": self._time_s,
            "has_begun": self._has_begun,
        }

    def restore(self, state: State) -> None:
        self._restore_aim(state)
        if self._faces is not None:
            self._faces.restore(state["faces"])
        if self._script is not None:
            self._script.restore(state["script"])
        self._focus = None
        if state["focus"] is not None:
            self._focus = Glide(0.0)
            self._focus.restore(state["focus"])
        self._goal.restore(state["goal"])
        self._pull, self._aperture_pull = _pull(state["pull"]), _pull(state["aperture_pull"])
        self.aperture = self._aperture = state["aperture"]
        self._time_s, self._has_begun = state["time_s"], state["has_begun"]

    def _restore_aim(self, state: State) -> None:
        self.target = parse_focus(state["target"])
        self._aim = self._aimed_at = None
        if state["aimed_at"] is not None:
            # The same object where nothing has changed: a target is taken anew when it is another one.
            same = state["aimed_at"] == state["target"]
            self._aimed_at = self.target if same else parse_focus(state["aimed_at"])
        if state["aims"] and self._aimed_at is not None:
            self._aim = _aim(self._aimed_at, self._faces)
            if isinstance(self._aim, Remembers):
                self._aim.restore(state["aim"])

    def _begin(self, entry: Entry, start_s: float) -> None:
        """Do what an entry of the script asks for."""
        if entry.focus is not None:
            if entry.focus != self.target:  # what is in focus already goes on being followed
                self.target = entry.focus
            self._take_aim()
            if self._focus is not None:
                self._pull = Pull(self._focus.value, start_s, entry.duration_s, entry.easing)
        if entry.aperture is not None:
            easing = entry.easing if self._has_begun else "cut"
            self._aperture_pull = Pull(self._aperture_at(start_s), start_s, entry.duration_s, easing)
            self.aperture = self._aperture = entry.aperture

    def _take_aim(self) -> Aim:
        target = self.target  # once: it may change meanwhile
        if self._aim is None or target is not self._aimed_at:
            if self._aim is not None:
                self._pull = None  # that was to another target
            self._aim, self._aimed_at = _aim(target, self._faces), target
            self._goal.wake()
        return self._aim

    def _pulled(self, wanted: float, time_s: float, elapsed_s: float) -> float:
        if self._focus is None:
            self._focus = Glide(wanted)
            self._goal.wake()
        goal = self._goal.step(wanted, self._focus.value)
        if self._pull is None:
            return self._focus.step(goal, elapsed_s)
        self._focus.jump(self._pull.at(goal, time_s))
        if self._pull.ended(time_s):
            self._pull = None
        return self._focus.value

    def _turn_aperture(self, time_s: float) -> None:
        """Go to the aperture that was asked for, softly."""
        wanted = self.aperture  # once: it may change meanwhile
        if wanted != self._aperture:
            self._aperture_pull = Pull(self._aperture_at(time_s), time_s, TURN_S, "ease-out")
            self._aperture = wanted

    def _aperture_at(self, time_s: float) -> float:
        pull = self._aperture_pull
        return self._aperture if pull is None else pull.at(self._aperture, time_s)


def _pull_state(pull: Pull | None) -> State | None:
    return None if pull is None else asdict(pull)


def _pull(state: State | None) -> Pull | None:
    return None if state is None else Pull(**state)


def _aim(target: Target, faces: FaceTracker | None) -> Aim:
    match target:
        case Fixed(inverse_depth):
            return lambda _sensed, _centres: inverse_depth
        case LayerNumber(number):
            return lambda _sensed, centres: float(centres[min(number, len(centres)) - 1])
        case Nearest():
            return lambda sensed, centres: nearest_visible(small_copy(sensed.seen), centres)
        case Point():
            return PointAim(target)
        case Auto():
            return SubjectAim(faces)
