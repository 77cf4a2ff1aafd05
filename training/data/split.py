"""Validation, cut from training by contiguous blocks so that no room, recording or clip stands on both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from . import nyu
from .sample import Sample

LAST_SHARE = 0.05
MIDDLEBURY = "middlebury_2003_2006"  # its csv calls all of it one sequence
HELD_SCENES = ("middlebury_Laundry_", "middlebury_Moebius_")  # how names begin, of both views of a scene


def split_validation(samples: Sequence[Sample], nyu_count: int = 80) -> tuple[list[Sample], list[Sample]]:
    """(training, validation), in the order of `samples`. Validation is:

    - of the labelled NYU pictures the last `nyu_count` in index order, and more where that cuts a known room;
    - of the Kaggle layout the last 5 % of the rooms by name;
    - of piv the sequence `PIV_livro`, both cameras; of people every fifth clip;
    - of Middlebury's scenes Laundry and Moebius: the only sharp silhouettes to choose by;
    - when there is none of these, the last 5 % of the labelled pictures by sequence and name.

    What belongs to a held room or sequence is held, whichever set it comes from. Unlabelled pictures of
    a held clip are in neither list: they cannot be scored, and training must not see them.
    """
    units = _held_nyu(samples, nyu_count) | _held_rooms(samples) | _held_sequences(samples) | _held_scenes(samples)
    held = {sample for sample in samples if _unit(sample) in units} if units else _last_block(samples)
    training = [sample for sample in samples if sample not in held]
    return training, [sample for sample in samples if sample in held and sample.kind != "none"]


def _unit(sample: Sample) -> str:
    """What must not be cut. The csv sets do not know NYU's rooms: there, a picture."""
    if sample.source == MIDDLEBURY:
        return sample.name
    if sample.source not in nyu.SOURCES:
        return sample.sequence
    return sample.name if sample.sequence == sample.source else nyu.room(sample.sequence)


def _held_nyu(samples: Sequence[Sample], count: int) -> set[str]:
    pictures = sorted((s for s in samples if s.source == nyu.LABELLED), key=lambda s: s.name)
    if len(pictures) <= count:
        return set()
    sizes = Counter(map(_unit, pictures))
    held: dict[str, int] = {}
    while sum(held.values()) < count:
        unit = _unit(pictures.pop())
        held[unit] = sizes[unit]
    return set(held)


def _held_rooms(samples: Sequence[Sample]) -> set[str]:
    rooms = sorted({_unit(s) for s in samples if s.source == nyu.KAGGLE})
    return set(rooms[len(rooms) - max(1, round(LAST_SHARE * len(rooms))) :]) if len(rooms) > 1 else set()


def _held_sequences(samples: Sequence[Sample]) -> set[str]:
    clips = sorted({s.sequence for s in samples if s.source == "people_teacher"})
    return set(clips[::5]) | {s.sequence for s in samples if s.sequence.startswith("PIV_livro")}


def _held_scenes(samples: Sequence[Sample]) -> set[str]:
    return {s.name for s in samples if s.source == MIDDLEBURY and s.name.startswith(HELD_SCENES)}


def _last_block(samples: Sequence[Sample]) -> set[Sample]:
    """The last pictures by sequence and name; from the start of a sequence on, if one starts in the block."""
    labelled = sorted((s for s in samples if s.kind != "none"), key=lambda s: (s.source, s.sequence, s.name))
    start = len(labelled) - int(LAST_SHARE * len(labelled))
    cut = {s.sequence for s in labelled[:start]}
    return {s for s in labelled[start:] if s.sequence not in cut} or set(labelled[start:])
