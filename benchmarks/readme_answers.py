"""The answers of the README's table of figures, each from the JSON of its result files, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .peers.table import means as means_of_peer
from .truth import means as means_of_families

Facts = Mapping[str, Any]
# A processor and its family and model, None in files from before these were recorded, and what it is.
MACHINES = {
    ("AMD EPYC", "26 2"): "AMD Zen 5",
    ("AMD EPYC", None): "AMD Zen 3",
    ("Intel(R) Xeon(R) Processor", None): "Intel Xeon with AMX",
}


def _percent(share: float, digits: int = 1) -> str:
    return f"{share:.{digits}%}".replace("%", " %")


def depth(score: Facts) -> str:
    """Of `pullfocus evaluate`."""
    return f"{score['pair_order']:.3f}; δ1 {score['delta1']:.3f}, AbsRel {score['abs_rel']:.3f}"


def speed(*files: Facts) -> str:
    """files: of 480p and 720p in turn, for each machine."""
    told = list[str]()
    for pair in zip(files[::2], files[1::2], strict=True):
        small, large = (facts["rows"][0] if "rows" in facts else facts for facts in pair)  # of before: a single row
        work_ms = " and ".join(f"{_work_ms(row):.0f} ms" for row in (small, large))
        rates = f"{small['fps']:.0f} fps at 480p, {large['fps']:.0f} fps at 720p"
        told.append(
            f"{_machine(*pair)}: {rates}; net, layers and refocus take {work_ms} a frame (medians){_drift(pair)}"
        )
    return ". ".join(told)


def _drift(files: Sequence[Facts]) -> str:
    """Of the run that was steady least, where there were several."""
    found = [facts["rows"][0] for facts in files if "rows" in facts]
    if not found:
        return ""
    drift = max(abs(row["steadiness"]["drift"]) for row in found)
    return f", latency in the least steady of {len(found[0]['runs'])} runs drifted by {_percent(drift, 0)}"


def _machine(*files: Facts) -> str:
    """The one that all were made on."""
    found = {(facts["environment"]["cpu"], facts["environment"].get("cpu_model")) for facts in files}
    if len(found) > 1:
        raise ValueError(f"made on different machines: {found}")
    cpu, model = found.pop()
    return MACHINES.get((cpu, model), f"{cpu} ({model})")


def _work_ms(row: Facts) -> float:
    return sum(row["stages"][name]["p50_ms"] for name in ("depth", "layers", "refocus"))


def cost(*files: Facts) -> str:
    """Of `against_report` on several machines."""
    return ". ".join(f"{_machine(facts)}: {_ratios(facts)}" for facts in files)


def _ratios(facts: Facts) -> str:
    ours, report, rest = (facts["costs"][name]["median_ms"] for name in ("ours", "report", "rest"))
    whole = f"{ours:.0f} ms against {report:.0f} ms: {facts['ratio']:.1f} × less"
    return f"{whole}; all but the net {rest:.0f} ms: {report / rest:.1f} × less"


def lens(facts: Facts) -> str:
    """Of `truth`."""
    told = _decibels(facts)
    ours = f"`fine` {told['fine']}, `fast` {told['fast']}"
    return f"{ours}; the report's recipe {told['report']}, a blur by each pixel's own circle {told['gather']}"


def edges_of_pictures(facts: Facts) -> str:
    """Of `truth`, with a net's depth."""
    told = _decibels(facts)
    return " against ".join(told[f"fine, net's depth{how}"] for how in ("", ", bilinear"))


def _decibels(facts: Facts) -> dict[str, str]:
    found = means_of_families(facts["psnr_db"])
    return {name: f"{areas['all']:.1f} / {areas['edge band']:.1f} dB" for name, areas in found.items()}


PEERS = {
    "ours, fine": "`fine` {}",
    "ours, fast": "; `fast` {}",
    "focal-blur plug-in": "; the focal-blur plug-in's blur {}",
    "ffmpeg varblur": "; ffmpeg's `varblur` {}",
    "ffmpeg layers": ", its `gblur` in layers {}",
    "one Gaussian copy": "; one Gaussian copy {}",
    "MediaPipe selfie": "; MediaPipe's blur with the true mask {}",
}


def peers(facts: Facts) -> str:
    """Of those that blur by depth or by a mask."""
    return "".join(words.format(_peer(facts["peers"][name])) for name, words in PEERS.items())


def _peer(peer: Facts) -> str:
    found = means_of_peer(peer)
    return f"{found['all']:.1f} / {found['edge band']:.1f} dB, {_percent(peer['truth']['bleed']['leaked'])}"


def edges(facts: Facts) -> str:
    """Of `edges`."""
    found = (facts["figures"]["made bad"][how]["mean"] for how in ("picture's edges", "bilinear"))
    return " against ".join(f"{mean['mae_near']:.4f}, {_percent(mean['wrong_near'])}" for mean in found)


def steadiness(facts: Facts) -> str:
    """Of `steadiness`."""
    ways = ("pipeline", "pipeline, steady")
    videos = (facts["video"][way] for way in ways)
    flicker = " and ".join(f"{video['flicker']:.4f} ({video['delta1']:.3f})" for video in videos)
    before, after = (facts["still"][way]["layer_changes"] for way in ways)
    return f"{flicker}; {_percent(before)} and {_percent(after, 2)}"


def follows(facts: Facts) -> str:
    """Of `steadiness`, the latest of its events."""
    most = max(facts["frames_to_follow"].values())
    return f"{most}: in the same frame" if most == 0 else f"at most {most}"


def net_every(facts: Facts) -> str:
    """Of `net_every`, means over its clips."""
    followed, held = (
        [
            float(np.mean([clip[f"--net-every {every}"][f"{way}_where_moved"] for clip in facts["clips"].values()]))
            for every in (2, 4)
        ]
        for way in ("followed", "held")
    )
    return " against ".join(" and ".join(f"{value:.3f}" for value in values) for values in (followed, held))


def scaling(facts: Facts) -> str:
    """Where the answer is: it takes a page."""
    del facts
    return "[one page](docs/performance.md)"


def live_latency(facts: Facts) -> str:
    """Of `live_latency`."""
    runs = "; ".join(
        f"{run['size'].replace('x', ' × ')}: {run['latency']['p50_ms']:.0f} ms, p95 {run['latency']['p95_ms']:.0f} ms, "
        f"{run['fps']:.1f} fps, {_percent(run['dropped_share'], 2)} lost, {run['cpu_ms_per_frame']:.0f} ms of CPU each"
        for run in facts["runs"]
    )
    starts = ", ".join(f"{start['later_median_s']:.1f} s ({way})" for way, start in facts["starts"].items())
    return f"{runs}. First picture after {starts}"


def page(facts: Facts) -> str:
    """Of `page`."""
    late, (alone, watched) = facts["late"], facts["runs"].values()
    told = f"WebRTC {late['webrtc']['p50_ms']:.0f} ms, Motion JPEG {late['mjpeg']['p50_ms']:.0f} ms (medians)"
    return f"{told}; {watched['fps']:.1f} fps with them, {alone['fps']:.1f} fps without"


def soak(facts: Facts) -> str:
    """Of `soak`."""
    well = "yes" if not facts["result"]["faults"] else f"no: {len(facts['result']['faults'])} faults"
    return (
        f"{well}; memory at most {_percent(facts['memory_excess'])} above its median (taken before the net ran in int8)"
    )


def live_soak(facts: Facts) -> str:
    """Of `live_soak`."""
    found = facts["result"]
    well = "yes" if not found["faults"] else f"no: {len(found['faults'])} faults"
    told = f"{found['losses']} losses, a picture at most {found['slowest_return_s']:.1f} s after the camera came back"
    return f"{well}: {told}; {found['turns']:,} turns of controls; memory grew by {_percent(found['growth'])}"


def kills(films: Facts, pictures: Facts, animations: Facts) -> str:
    """Of `kills`, for each kind of result."""
    counts = [each["result"]["kills"] for each in (films, pictures, animations)]
    lost = sum(len(each["result"]["faults"]) for each in (films, pictures, animations))
    told = "{} kills of films, {} of numbered pictures, {} of a GIF".format(*counts)
    outcome = "each became what an undisturbed run makes, byte for byte"
    return f"{told}: {outcome}" if lost == 0 else f"{told}: {lost} became something else"


def fuzz(facts: Facts) -> str:
    """Of `fuzz`."""
    found = facts["result"]
    told = f"of {found['mutants']:,}: {found['refocused']:,} were refocused, {found['refused']:,} refused in one line"
    harm = "No crash, no traceback, no broken result" if not found["faults"] else f"{len(found['faults'])} did harm"
    return f"{told}; the slowest took {found['slowest_s']:.1f} s. {harm}"
