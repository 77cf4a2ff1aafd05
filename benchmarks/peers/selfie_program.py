"""The program that `selfie` runs in MediaPipe's environment: `python selfie_program.py WIDTH HEIGHT`.

It imports nothing of pullfocus. In: for each frame a byte (1: a mask follows), the picture, the mask. Out: the picture.
"""

from __future__ import annotations

import os
import sys

import cv2
import numpy as np

WHOLE_BODY = 1  # the model for landscape pictures
THRESHOLD = 0.1
KERNEL_PX = 55


def main() -> None:
    width, height = int(sys.argv[1]), int(sys.argv[2])
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what MediaPipe prints must not come between the pictures
    from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation  # pyright: ignore

    with SelfieSegmentation(model_selection=WHOLE_BODY) as net:
        while flag := sys.stdin.buffer.read(1):
            data = sys.stdin.buffer.read(width * height * 3)
            picture = np.frombuffer(data, np.uint8).reshape(height, width, 3)
            if flag == b"\x01":
                given = sys.stdin.buffer.read(width * height)
                sharp = np.frombuffer(given, np.uint8).reshape(height, width) > 0
            else:
                sharp = net.process(picture).segmentation_mask > THRESHOLD
            blurred = cv2.GaussianBlur(picture, (KERNEL_PX, KERNEL_PX), 0)
            out.write(np.where(sharp[..., None], picture, blurred).tobytes())
            out.flush()


if __name__ == "__main__":
    main()
