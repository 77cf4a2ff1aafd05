"""How cost grows: floors and fleets by hand, what follows from a record, the file and the document."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from pullfocus.benchmarks.scaling.case import SIZES, Case, Plan, stream_counts, thread_counts
from pullfocus.benchmarks.scaling.document import filled
from pullfocus.benchmarks.scaling.figures import (
    along,
    fleets,
    gpu_distances,
    loads,
    machine,
    safe_load,
    stage_distances,
    streams,
    sweep,
    threads,
)
from pullfocus.benchmarks.scaling.findings import derived, findings
from pullfocus.benchmarks.scaling.fleet import Machine, fleet, gpu_hours, needed
from pullfocus.benchmarks.scaling.floors import NetFacts, Work, floor, furthest, least_work
from pullfocus.benchmarks.scaling.net_facts import kind_of, net_facts
from pullfocus.benchmarks.scaling.plots import plots, write_plots
from pullfocus.benchmarks.scaling.probe import FRAME
from pullfocus.benchmarks.scaling.rates import best, last_level_cache_mb
from pullfocus.benchmarks.scaling.record import Record
from pullfocus.benchmarks.scaling.tables import sheets
from pullfocus.kernels.errors import InputError

from .scaling_record import (
    EDGES_FIXED_MS,
    EDGES_PER_MPX_MS,
    PLAN,
    REFOCUS_LAYERS,
    REFOCUS_RADIUS,
    REFOCUS_SIZE,
    record,
)

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT, FILE = ROOT / "docs" / "performance.md", ROOT / "benchmarks" / "results" / "scaling.json"


def test_a_floor_by_hand() -> None:
    """8 GB/s are 8 MB a millisecond; 200 GMAC/s are 200 MMAC a millisecond."""
    assert floor(Work(4_000_000), 8.0, 200.0).ms == pytest.approx(0.5)
    both = floor(Work(4_000_000, 1_000_000_000), 8.0, 200.0)
    assert (both.ms, both.bound) == (pytest.approx(5.0), "multiply")
    assert floor(Work(80_000_000, 1_000_000_000), 8.0, 200.0).bound == "memory"


def test_the_least_work_by_hand() -> None:
    """A picture of 100 × 200, a net at 32 × 64 with 1000 weights of one byte."""
    work = least_work((100, 200), NetFacts((32, 64), 5_000_000, 1000, 1))
    assert work["net"] == Work(60_000 + 1000 + 4 * 2048, 5_000_000)
    assert work["edges"] == Work(60_000 + 4 * 2048 + 80_000)
    assert work["refocus"] == Work(60_000 + 80_000 + 60_000)
    belief = 4 * 2048 + 3 * 4 * 16 * 32
    assert work["temporal"] == Work(4 * 2048 + 2 * belief + 3 * 3 * 16 * 32)
    assert work[FRAME] == Work(60_000 + 1000 + 60_000, 5_000_000)


def test_a_fleet_by_hand() -> None:
    """20 frames a second are 50,000 s for a million: 13.9 hours of the machine; 80 ms each are 22.2 hours of a core."""
    ours = Machine(cores=2, fps=20.0, cpu_ms=80.0, safe_load=0.75)
    found = fleet(ours, 80.0)
    assert (found.machine_hours, found.cpu_hours) == (pytest.approx(13.889, abs=1e-3), pytest.approx(22.222, abs=1e-3))
    assert (found.machines_for(24.0), found.machines_for(1.0), found.cores_for(1.0, ours)) == (1, 14, 28)
    assert found.streams == 0  # 0.75 × 20 < 30
    assert fleet(ours, 20.0).streams == 2  # 0.75 × 80 = 60
    assert needed(10.0, 5.0) == 2
    assert gpu_hours(3.6) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="deadline of 0 hours"):
        needed(1.0, 0.0)


def test_a_plan_has_each_case_once() -> None:
    cases = Plan().cases()
    assert len(cases) == len(set(cases)) == 2 * (1 + len(SIZES) - 1 + 5 + 5)
    assert (thread_counts(1), thread_counts(6), stream_counts(2)) == ((1,), (1, 2, 4, 6), (1, 2, 3, 4))
    with pytest.raises(ValueError, match="64 pixels or more"):
        Case(32, 32)


def test_the_exponents_of_a_record() -> None:
    found = record(noise=0.05)
    for axis, wanted in (("size", REFOCUS_SIZE), ("radius", REFOCUS_RADIUS), ("layers", REFOCUS_LAYERS)):
        fit = sweep(found, axis, "refocus", "fast").power
        assert fit is not None
        assert fit.low - 0.02 <= wanted <= fit.high + 0.02, axis
        assert fit.high - fit.low < 0.2
    line = sweep(record(), "size", "edges", "fine").affine
    assert line is not None
    assert (line.fixed, line.each) == (pytest.approx(EDGES_FIXED_MS), pytest.approx(EDGES_PER_MPX_MS))
    assert [each.case.size for each in along(found, "size", "fast")] == [f"{w}x{h}" for w, h in SIZES]


def test_the_distances_of_a_record() -> None:
    found = {each.stage: each for each in stage_distances(record(), PLAN.base)}
    assert found["net"].floor.ms == pytest.approx(20.0)  # 4 GMAC at 200 GMAC/s
    assert found["net"].ratio == pytest.approx(0.75)
    assert found["refocus"].floor.ms == pytest.approx(10 * 1280 * 720 / 8e6)
    assert furthest(list(found.values())).stage == "refocus"
    on_gpu = {each.stage: each for each in gpu_distances(record(gpu=True), PLAN.base)}
    assert on_gpu["net"].floor.ms == pytest.approx(4.0 / 300.0)
    assert "upload" not in on_gpu
    assert gpu_distances(record(), PLAN.base) == []


def test_threads_and_streams_of_a_record() -> None:
    assert threads(record(), FRAME, "fast").efficiency == pytest.approx([1.0, 0.8])
    shared = streams(record())
    assert shared.efficiency == pytest.approx([1.0, 1.0, 2 / 3, 0.5])
    assert shared.usl is not None


def test_load_is_safe_while_latency_is() -> None:
    found = loads(record())
    first = found[0].p95_ms
    assert safe_load(found) == max(each.share or 0.0 for each in found if each.p95_ms <= 2.0 * first)
    assert safe_load([replace(each, dropped=0.2) for each in found]) == 0.0
    assert machine(record()).fps == 25.0
    cpu_ms, base = fleets(record(), "fast")["1280x720"]
    assert (cpu_ms, base.fps) == (pytest.approx(80.0), pytest.approx(25.0))


def test_the_best_of_rounds_is_the_machines_rate() -> None:
    slow, fast = (
        record().rates[0],
        replace(record().rates[0], copy_gb_s=9.0, gmac_s={"f32": 1.0, "bf16": 99.0, "int8": 2.0}),
    )
    assert best([slow, fast]).copy_gb_s == 9.0
    assert best([slow, fast]).gmac_s == {"f32": 30.0, "bf16": 99.0, "int8": 200.0}
    with pytest.raises(ValueError, match="0 or less"):
        replace(slow, copy_gb_s=0.0)


def test_the_largest_cache_is_found(tmp_path: Path) -> None:
    for index, size in enumerate(("48K", "2048K", "33M")):
        (tmp_path / f"index{index}").mkdir()
        (tmp_path / f"index{index}" / "size").write_text(size + "\n")
    assert last_level_cache_mb(tmp_path) == 33
    assert last_level_cache_mb(tmp_path / "none") == 0


def test_the_net_is_known_from_its_file() -> None:
    assert kind_of("OpenVINO 2026.4.1, bf16, CPU") == "bf16"
    found = net_facts("resnet18", (720, 1280), "fast", "OpenVINO 2026.4.1, int8, CPU")
    assert found.size_hw == (192, 352)
    assert found.weight_bytes == 1
    assert found.numbers > 10_000_000
    assert found.macs > 1_000_000_000


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    path, written = tmp_path / "scaling.json", record(noise=0.0, gpu=True)
    written.write(path, derived(written))
    assert [sheet.markdown() for sheet in sheets(Record.read(path))] == [sheet.markdown() for sheet in sheets(written)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object; expected a file of format 'pullfocus scaling 1'; measure again"),
        ('{"format": "pullfocus scaling 0"}', "no result of benchmarks.scaling; expected a file of format"),
        ('{"format": "pullfocus scaling 1"}', "damaged"),
    ],
)
def test_no_other_file_is_taken(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "scaling.json"
    path.write_text(text)
    with pytest.raises(InputError, match=why):
        Record.read(path)
    with pytest.raises(InputError, match="cannot read"):
        Record.read(tmp_path / "absent.json")


def test_tables_tell_of_a_gpu_where_there_is_one() -> None:
    told = "\n".join(sheet.markdown() for sheet in sheets(record(gpu=True)))
    assert "| NVIDIA Test | 2500 |" in told
    assert "0.75 |" in told  # GPU-hours of a million frames of 2.7 ms
    assert "| GPU | n/a |" in sheets(record())[2].markdown()


def test_a_busy_machine_is_named() -> None:
    assert not any("Too busy" in line for line in findings(record()))
    assert any("Too busy" in line for line in findings(replace(record(), others=0.4)))


def test_plots_are_drawn(tmp_path: Path) -> None:
    drawn = [f"scaling_{plot.name}.png" for plot in plots() if plot.name not in ("radius", "layers")]  # as size
    found = write_plots(record(noise=0.05), tmp_path / "plots", drawn)
    assert [path.name for path in found] == drawn
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in found)


def test_a_document_without_its_markers_is_refused() -> None:
    with pytest.raises(InputError, match="got markers stages, expected each of exponents, findings"):
        filled("<!-- scaling:stages -->\n<!-- /scaling:stages -->\n", record(), DOCUMENT)


def test_the_document_is_that_of_its_file() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert filled(text, Record.read(FILE), DOCUMENT) == text, (
        "refill it: python -m pullfocus.benchmarks.scaling --from benchmarks/results/scaling.json "
        "--write-doc docs/performance.md"
    )
    pictures = re.findall(r"\]\((pictures/[^)]+)\)", text)
    assert pictures
    assert all((DOCUMENT.parent / name).is_file() for name in pictures)


def test_what_the_file_derives_follows_from_it() -> None:
    facts = json.loads(FILE.read_text(encoding="utf-8"))
    again = json.loads(json.dumps(derived(Record.read(FILE))))
    for quality, wanted in facts["derived"]["exponents"].items():
        for axis, stages in wanted.items():
            for stage, found in stages.items():
                fit = again["exponents"][quality][axis][stage]["power"]
                assert (fit is None) == (found["power"] is None)
                if fit is not None:
                    assert found["power"]["exponent"] == pytest.approx(fit["exponent"], abs=0.01), (axis, stage)
    assert facts["derived"]["machine"]["fps"] == pytest.approx(again["machine"]["fps"], rel=1e-3)
