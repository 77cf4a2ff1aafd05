"""Person mattes for labelled people: `python training/mattes.py people.csv --matting selfie_segmentation.tflite`.

Writes `NAME.matte.png` (8-bit, white = person) beside each picture that `training.teacher` labelled.
To be run in an environment of its own, with nothing but `pip install mediapipe`: that package brings
another build of OpenCV, which would overwrite ours. So this file imports nothing of pullfocus.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

LOW, HIGH = 0.3, 0.7  # the net looks at 256 × 256: its soft edge is its own, not the person's


def crisp(confidence: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A steeper edge: below LOW nobody, above HIGH the person, a smoothstep between; uint8."""
    x = np.clip((confidence - LOW) / (HIGH - LOW), 0.0, 1.0)
    return np.rint(255.0 * x * x * (3.0 - 2.0 * x)).astype(np.uint8)


def main() -> None:
    """Matte all pictures of a set."""
    import mediapipe as mp  # pyright: ignore
    from mediapipe.tasks.python import BaseOptions, vision  # pyright: ignore

    parser = argparse.ArgumentParser(description="Write person mattes for labelled people.")
    parser.add_argument("listing", type=Path, help="csv that training.teacher wrote, beside its folder")
    parser.add_argument("--matting", type=Path, required=True, help="MediaPipe's selfie segmentation")
    arguments = parser.parse_args()
    options = vision.ImageSegmenterOptions(BaseOptions(str(arguments.matting)), output_confidence_masks=True)
    folder = arguments.listing.with_suffix("")
    if not arguments.listing.is_file():
        raise SystemExit(f"{arguments.listing}: no such file; training.teacher writes it")
    with arguments.listing.open(newline="", encoding="utf-8") as file:
        names = [record["name"] for record in csv.DictReader(file)]
    with vision.ImageSegmenter.create_from_options(options) as segmenter:
        for name in names:
            picture = cv2.imread(str(folder / f"{name}.jpg"), cv2.IMREAD_COLOR_RGB)
            if picture is None:
                raise SystemExit(f"{folder / name}.jpg: not a readable picture")
            found = segmenter.segment(mp.Image(image_format=mp.ImageFormat.SRGB, data=picture))
            confidence = np.squeeze(found.confidence_masks[0].numpy_view())
            if not cv2.imwrite(str(folder / f"{name}.matte.png"), crisp(confidence)):
                raise SystemExit(f"cannot write {folder / name}.matte.png; is the disk full?")
    print(f"{len(names)} mattes in {folder}")


if __name__ == "__main__":
    main()
