"""Measure the ranges with which a net is computed in int8: post-training quantisation by NNCF.

NNCF (Kozlov et al. 2020, arXiv:2002.08679) decides where values are rounded and to which range. Only
these ranges are kept; `engines.openvino_graph` places the same roundings, so one weight file serves
every runtime.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import nncf
import numpy as np
import openvino as ov
from numpy.random import default_rng
from numpy.typing import NDArray

from ..engines import checkpoint
from ..engines.atomic import check_target
from ..engines.openvino_graph import RANGES, build
from ..kernels.errors import InputError
from .data import Sample, open_set, split_validation

SIZE_HW = (192, 256)  # of most training pictures; a value's range hardly depends on the size


def run_quantize(model: str, data: Sequence[Path], out: Path, pictures: int, seed: int, overwrite: bool) -> None:
    """Write the net of `model` with int8 weights and its ranges over `pictures` training pictures of `data`.

    Raises InputError, DataError, CheckpointError, OutputError.
    """
    check_target(out, overwrite)
    saved = checkpoint.load(checkpoint.locate(model))
    training, _ = split_validation([sample for path in data for sample in open_set(path)])
    if not training:
        raise InputError(f"got no training pictures in {', '.join(map(str, data))}; expected some beside validation's")
    order = default_rng(seed).permutation(len(training))[:pictures]
    ranges = measured_ranges(saved, [training[i] for i in order])
    notes = {**saved.notes, RANGES: json.dumps(ranges), "quantized_from": f"{len(order)} pictures, seed {seed}"}
    checkpoint.store(out, replace(saved, notes=notes), "int8")
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB, {len(ranges)} ranges over {len(order)} pictures")


def measured_ranges(saved: checkpoint.Checkpoint, samples: Sequence[Sample]) -> dict[str, tuple[float, float]]:
    """Name of each node of the graph that is to be rounded → its range: the mean of each picture's extremes."""
    return ranges_of(quantized(build(saved, SIZE_HW), samples))


def quantized(graph: ov.Model, samples: Sequence[Sample]) -> ov.Model:
    """`graph` as NNCF rounds it after seeing the pictures of `samples`."""
    return nncf.quantize(
        graph,
        nncf.Dataset(list(_pictures(samples))),
        preset=nncf.QuantizationPreset.MIXED,  # ranges of one sign where values have one sign
        subset_size=len(samples),
        advanced_parameters=nncf.AdvancedQuantizationParameters(disable_bias_correction=True),
    )


def ranges_of(model: ov.Model) -> dict[str, tuple[float, float]]:
    """The range of each rounding of values in `model`; weights take the range of their own channel."""
    ranges: dict[str, tuple[float, float]] = {}
    for node in model.get_ordered_ops():
        if node.get_type_name() == "FakeQuantize":
            rounded, low, high = (node.input_value(k).get_node() for k in range(3))
            if rounded.get_type_name() != "Constant":
                ranges[rounded.get_friendly_name()] = float(low.data.min()), float(high.data.max())
    return ranges


def _pictures(samples: Sequence[Sample]) -> Iterator[NDArray[np.uint8]]:
    for sample in samples:
        image = sample.read().image
        small = cv2.resize(image, SIZE_HW[::-1], interpolation=cv2.INTER_AREA)
        yield small[None].astype(np.uint8, copy=False)
