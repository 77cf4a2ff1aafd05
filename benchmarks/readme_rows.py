"""What stands in the README's table of figures.

To add a row, add a `Row` to ROWS (and its answer to `readme_answers`), then run
`python -m pullfocus.benchmarks.readme_table --write`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import readme_answers as answers


@dataclass(frozen=True, slots=True)
class Row:
    """All as Markdown. answer: takes the JSON of each of `files` (names in benchmarks/results), in their order."""

    question: str
    command: str
    files: tuple[str, ...]
    answer: Callable[..., str]


ROWS = (
    Row(
        "Does the net know near from far? Share of pixel pairs, over 15 % apart in depth, that it orders "
        "right on NYU's 654 test pictures ¹",
        "`pullfocus evaluate DATA/test_nyu654.csv --engine openvino`",
        ("resnet18_nyu654",),
        answers.depth,
    ),
    Row(
        "How fast is it on two cores, every frame through net, layers and refocus? ²",
        "`pullfocus bench --size 640x480 --frames 600 --warm-up 200 --repeat 5`, and with `--size 1280x720`",
        ("bench_480p", "bench_720p", "bench_480p_zen3", "bench_720p_zen3"),
        answers.speed,
    ),
    Row(
        "CPU time of a 720p frame, all threads, against the report's recipe, which runs no net ²",
        "`make bench`",
        ("against_report", "against_report_xeon", "against_report_zen3"),
        answers.cost,
    ),
    Row(
        "The same in `fine`",
        "`python -m pullfocus.benchmarks.against_report --quality fine --frames 24`",
        ("against_report_fine", "against_report_fine_xeon", "against_report_fine_zen3"),
        answers.cost,
    ),
    Row(
        "How near does refocus come to a real lens? PSNR against a thin lens sampled at 400 points, all "
        "and in the band of 20 px round depth edges, on 18 drawn scenes whose every surface is known",
        "`python -m pullfocus.benchmarks.truth`",
        ("thin_lens",),
        answers.lens,
    ),
    Row(
        "And other ways to blur by depth, handed the same true depth? The same scenes; share of a sharp "
        "thing's colour that leaks into what is behind it ([all figures](docs/benchmark_peers.md))",
        "`python -m pullfocus.benchmarks.peers CLIP --tcmonodepth FILE`",
        ("peers",),
        answers.peers,
    ),
    Row(
        "What do the picture's edges bring where depth is as bad as a net's (four times smaller, soft, "
        "shifted, noisy)? `fine`, the same scenes",
        "`python -m pullfocus.benchmarks.truth`",
        ("thin_lens",),
        answers.edges_of_pictures,
    ),
    Row(
        "Do they help on real pictures? Middlebury's Art and Reindeer, depth made as bad: mean error of "
        "inverse depth within 10 px of a depth edge, share of pixels there that are off by more than half"
        " the step ³",
        "`python -m pullfocus.benchmarks.edges DATA/test_edges.csv`",
        ("edges",),
        answers.edges,
    ),
    Row(
        "Does depth hold still? Flicker on 120 frames of a hand-held video, without and with steadying "
        "(δ1); pixels that change layer from frame to frame before a still, noisy camera",
        "`python -m pullfocus.benchmarks.steadiness --video DATA/test_kitchen.csv`",
        ("steadiness",),
        answers.steadiness,
    ),
    Row(
        "And does it follow at once? Frames until a thing that appears, moves or goes has its depth",
        "`python -m pullfocus.benchmarks.steadiness --video DATA/test_kitchen.csv`",
        ("steadiness",),
        answers.follows,
    ),
    Row(
        "How good is depth between the net's frames (`--net-every 2`, `4`)? Mean error where something "
        "moved, followed and merely held, on four clips of people",
        "`python -m pullfocus.benchmarks.net_every CLIP...`",
        ("net_every",),
        answers.net_every,
    ),
    Row(
        "How does cost grow with size, radius, layers, threads and streams, how far is each stage from what the "
        "machine could do, and what does a million frames take?",
        "`python -m pullfocus.benchmarks.scaling`",
        ("scaling",),
        answers.scaling,
    ),
    Row(
        "Live at 30 frames a second on two cores, the net in every frame: how late is a picture when it is handed "
        "over, how many are lost, and how long does a start take to its first picture, from the second time on?",
        "`python -m pullfocus.benchmarks.live_latency`",
        ("live_latency",),
        answers.live_latency,
    ),
    Row(
        "How late is a picture in the browser page, from hand-over to shown on the same machine? What do "
        "two browsers and one that hangs take from a run of 15 fps? ⁴",
        "`python -m pullfocus.benchmarks.page`",
        ("page",),
        answers.page,
    ),
    Row(
        "Ten minutes of film with a flash and a beep each second: are frames, timestamps, sound and "
        "picture in step, and is memory flat?",
        "`make soak`",
        ("soak",),
        answers.soak,
    ),
    Row(
        "Half an hour of live with a camera that is lost again and again and a user who turns everything: does it "
        "go on, and is memory flat?",
        "`make soak`",
        ("live_soak",),
        answers.live_soak,
    ),
    Row(
        "Is anything lost when a run is killed at a random moment (SIGKILL) and gone on with?",
        "`make soak`",
        ("kills", "kills_pictures", "kills_gif"),
        answers.kills,
    ),
    Row(
        "And when damaged files are handed to it (bits turned, cut off, boxes swapped)?",
        "`make soak`",
        ("fuzz",),
        answers.fuzz,
    ),
)
