"""The specification of every kernel; `cpu` (NumPy + OpenCV) meets it as a module, `cuda` as an object on CuPy's arrays.

Conventions: pictures are `h w 3` uint8 sRGB; inverse depth is `h w` float32 in [0, 1], 1 = nearest;
lengths end in `_px`. The border is mirrored. No kernel changes its inputs. What writes pictures takes more bits
too: `h w 3` uint16, 65535 = full scale, of any `Transfer`.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from .belief import Belief, Motion
from .errors import InputError

Picture = NDArray[np.uint8]
AnyPicture: TypeAlias = NDArray[np.uint8 | np.uint16]
AnyPictureT = TypeVar("AnyPictureT", bound=NDArray[np.uint8 | np.uint16])
ScalarT = TypeVar("ScalarT", bound=np.generic)
InverseDepth = NDArray[np.float32]
Labels = NDArray[np.uint8]
Centres = NDArray[np.float64]

Device = Literal["cpu", "cuda"]
KernelShape = Literal["disc", "gaussian", "polygon"]
Quality = Literal["fast", "fine"]
Transfer = Literal["srgb", "pq", "hlg"]  # what code values stand for: sRGB, SMPTE ST 2084, BT.2100 HLG


@dataclass(frozen=True, slots=True)
class RefocusStyle:
    """How blur looks.

    shape: `disc` is a lens wide open, `polygon` one stopped down, `gaussian` the report's. blades: corners of the
    polygon. rotation: of the polygon, in degrees. quality: `fine` works on finer grids than `fast`. transfer: of the
    pictures, between whose code values and light it leads.
    """

    shape: KernelShape = "disc"
    quality: Quality = "fast"
    blades: int = 6
    rotation: float = 0.0
    transfer: Transfer = "srgb"

    @property
    def corners(self) -> int:
        """Of the image of a point of light; 0 = round."""
        return self.blades if self.shape == "polygon" else 0


@dataclass(frozen=True, slots=True)
class Lens:
    """What decides every circle of confusion.

    focus: the inverse depth in focus. reach_px: the radius at an inverse-depth difference of 1, in picture pixels.
    dead_zone: up to this inverse-depth difference everything is in focus.
    """

    focus: float
    reach_px: float
    dead_zone: float = 0.0

    @classmethod
    def of_aperture(cls, focus: float, aperture: float, height_px: int, dead_zone: float = 0.0) -> Lens:
        """aperture: the radius at an inverse-depth difference of 1, in percent of the picture's height."""
        return cls(focus, aperture / 100.0 * height_px, dead_zone)

    def radius_px(self, inverse_depth: float) -> float:
        """Radius of the circle of confusion at `inverse_depth`, in picture pixels."""
        return self.reach_px * max(0.0, abs(inverse_depth - self.focus) - self.dead_zone)


class Kernels(Protocol):
    """What an implementation module offers."""

    def upload(self, values: NDArray[ScalarT]) -> NDArray[ScalarT]:
        """An array of main memory where the kernels work: on a CPU itself."""
        ...

    def download(self, values: NDArray[ScalarT]) -> NDArray[ScalarT]:
        """The reverse; on a GPU it waits until the array is computed."""
        ...

    def finite(self, inverse_depth: InverseDepth) -> InverseDepth:
        """With 0 for what is no number, and the largest numbers for infinities. May be `inverse_depth`, changed."""
        ...

    def stretched(self, inverse_depth: InverseDepth, low: float, span: float) -> InverseDepth:
        """What is `low` becomes 0 and what is `span` more becomes 1; all else is clipped to them."""
        ...

    def rounded(self, inverse_depth: InverseDepth) -> InverseDepth:
        """On the grid of a 16-bit file, so that a stored depth gives the same picture."""
        ...

    def resize(self, inverse_depth: InverseDepth, size_hw: tuple[int, int]) -> InverseDepth:
        """Bilinear resize to (h, w)."""
        ...

    def upsample(self, inverse_depth: InverseDepth, picture: Picture) -> InverseDepth:
        """A net's small inverse depth at the picture's size, its edges where the picture has them.

        Where two surfaces meet, each pixel is given to the one whose colour it has. Elsewhere bilinear. Not for
        measured depth, whose edges are right as they are.
        """
        ...

    def smooth(self, inverse_depth: InverseDepth, median_px: int, gaussian_px: int) -> InverseDepth:
        """Median, then Gaussian filter; sizes are odd, 0 = off, the median at most 5."""
        ...

    def shrink(self, picture: Picture, size_hw: tuple[int, int]) -> Picture:
        """A small copy at (h, w), about the mean of what each pixel covers; made to be cheap."""
        ...

    def first_belief(self, inverse_depth: InverseDepth, grid_hw: tuple[int, int]) -> Belief:
        """After one depth of the net, `h w`. grid_hw: of the pictures that motion is seen in."""
        ...

    def motion(self, now: Picture, before: Picture, fine: bool = False) -> Motion:
        """Between two pictures of one size. Nothing moves where that explains a pixel as well, nor in tiny pictures.

        fine: flow on a grid twice as fine, for three times the cost; for depth that is carried over several frames.
        """
        ...

    def carry(self, belief: Belief, motion: Motion) -> Belief:
        """The belief moved along with what the pictures show; where they show something new its weight is lost."""
        ...

    def fuse(self, belief: Belief, new: InverseDepth) -> Belief:
        """The belief after one more depth of the net, `h w`, of the picture that it was carried to.

        A running mean over time, of a length that each pixel chooses: 1 frame where the picture shows something new,
        or where depth leaves its noise and something is stirred; short while new frames keep pulling one way, so that
        it stays no further behind than the noise; else at most 9 frames.
        """
        ...

    def cluster_update(
        self, samples: NDArray[np.float32], centres: Centres, weights: NDArray[np.float64]
    ) -> tuple[Centres, NDArray[np.float64]]:
        """One mini-batch K-Means step on scalars (Sculley 2010, doi:10.1145/1772690.1772862).

        samples: n. centres: k, descending. weights: k, how many samples each centre has seen.
        A centre moves to the mean of all it has seen; one without samples stays.
        Returns the new centres (still descending) and weights.
        """
        ...

    def assign(self, inverse_depth: InverseDepth, centres: Centres) -> Labels:
        """Index of the nearest of the descending centres for every pixel: `h w`, 0 = nearest layer.

        centres: k, at most 16; in main memory, as for `refocus`.
        """
        ...

    def refocus(
        self, picture: AnyPictureT, inverse_depth: InverseDepth, centres: Centres, lens: Lens, style: RefocusStyle
    ) -> AnyPictureT:
        """What `lens` shows of the scene: blur that stays on its side of every depth edge, in linear light.

        picture: uint8 or uint16, of the style's transfer function; so is the result, and for uint16 no step on the way
        is coarser than a few of its code values. inverse_depth may be smaller than the picture. centres: k, descending
        (near → far), in main memory: where the scene is cut into planes. A pixel between two planes is shared between
        them; each plane is blurred, with its coverage, by the circle of confusion of its own depth and laid over those
        behind it, for which what it hides is filled in from their own surroundings. A pixel whose circle is smaller
        than half a pixel stays as it is.
        """
        ...

    def to_8_bits(self, picture: AnyPicture, transfer: Transfer = "srgb") -> Picture:
        """As 8-bit sRGB: rounded, and HDR (in BT.2020's primaries) with its highlights rolled off. May be `picture`."""
        ...

    def colour_depth(self, inverse_depth: InverseDepth, size_hw: tuple[int, int]) -> Picture:
        """False colours (Turbo), near = warm, at the given size."""
        ...

    def colour_layers(self, labels: Labels, layers: int, size_hw: tuple[int, int]) -> Picture:
        """One colour a layer, near = warm, at the given size, with hard borders."""
        ...

    def mark_in_focus(self, picture: Picture, inverse_depth: InverseDepth, lens: Lens) -> Picture:
        """Focus peaking: `picture` with those of its edges in red whose circle of confusion is below half a pixel.

        inverse_depth may be smaller than the picture.
        """
        ...

    def tint_by_focus(self, picture: Picture, inverse_depth: InverseDepth, lens: Lens) -> Picture:
        """In colour what is in focus; what is before it becomes warm, and what is behind it cool, with the radius.

        inverse_depth may be smaller than the picture. The tint shows from a circle of confusion of half a pixel's
        radius on, and is full at 2 % of the picture's height.
        """
        ...

    def tiled(self, rows: Sequence[Sequence[Picture]]) -> Picture:
        """Pictures of one size side by side, row below row."""
        ...

    def captioned(self, picture: Picture, text: str) -> Picture:
        """A copy with a small caption on a dark plate, top left; tiny pictures go without."""
        ...


def load(device: Device) -> Kernels:
    """The kernels for `device`. Raises InputError where they cannot run.

    Those for "cuda" take and give arrays of CuPy where this specification has NumPy's.
    """
    if device == "cpu":
        return cast(Kernels, importlib.import_module(".cpu", __package__))
    if device != "cuda":
        raise InputError(f"got device {device!r}; expected 'cpu' or 'cuda'")
    launcher = importlib.import_module(".cuda.device", __package__).CupyLauncher()
    return cast(Kernels, importlib.import_module(".cuda", __package__).CudaKernels(launcher))
