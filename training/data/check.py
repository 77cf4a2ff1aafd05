"""Look at the files of a set before anything is trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .sample import DataError, Sample

MOST_LISTED = 50
THREADS = 8
PORTION = 256  # a thread is handed this many files at once: asking for one takes less than handing it over


def check(samples: Sequence[Sample], *, thorough: bool = False) -> None:
    """Raise one DataError that lists all that is wrong: missing files, and with `thorough` broken ones, too.

    The quick check takes about 10 µs a file on a local disk. The thorough one decodes every sample
    (some 10 ms each and core): wrong type, picture and depth of different size, files that break off.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        paths = list(dict.fromkeys(path for sample in samples for path in sample.stored.paths))
        portions = [paths[i : i + PORTION] for i in range(0, len(paths), PORTION)]
        missing = [path for found in pool.map(_missing, portions) for path in found]
        faults = [f"{path}: missing" for path in missing]
        if thorough:
            gone = set(missing)
            whole = [sample for sample in samples if gone.isdisjoint(sample.stored.paths)]
            faults += [fault for fault in pool.map(read_fault, whole) if fault]
    refuse(faults, f"the {len(samples)} samples")


def _missing(paths: Sequence[Path]) -> list[Path]:
    return [path for path in paths if not path.is_file()]


def read_fault(sample: Sample) -> str:
    """What is wrong with a sample's files, in one line; "" when it decodes."""
    try:
        sample.read()
    except DataError as error:
        return str(error)
    return ""


def refuse(faults: Sequence[str], what: str) -> None:
    """Raise a DataError that counts `faults` and lists the first of them; do nothing when there are none."""
    if not faults:
        return
    listed = "\n  ".join(faults[:MOST_LISTED])
    more = f"\n  … and {len(faults) - MOST_LISTED} more" if len(faults) > MOST_LISTED else ""
    raise DataError(f"{what}: {len(faults)} missing or broken; mend or unlist them:\n  {listed}{more}")
