"""What each figure is, which way is better, and by how much it may become worse without the gate's saying so."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """digits: shown after the point. tolerance: in the figure's own unit, with the reason for it in `why`."""

    label: str
    higher_is_better: bool
    digits: int
    tolerance: float
    why: str

    def worse_by(self, before: float, after: float) -> float:
        """How much worse it became, in its own unit; below 0 = better."""
        return before - after if self.higher_is_better else after - before


# With AVX2 in place of AVX-512 and AMX the small figures moved by less than a thousandth of their tolerance.
MEASURES: dict[str, Measure] = {
    "psnr_db": Measure("PSNR, dB", True, 2, 0.1, "smaller changes cannot be seen"),
    "psnr_edge_db": Measure("PSNR near depth edges, dB", True, 2, 0.1, "smaller changes cannot be seen"),
    "leaked": Measure("leaked colour", False, 4, 0.001, "a fifth of what `fast` leaks; other blurs leak 50 times that"),
    "mae_near": Measure(
        "error near depth edges", False, 4, 0.001, "3 % of it; bilinear enlarging costs ten times that"
    ),
    "wrong_near": Measure("wrong side of the step", False, 4, 0.003, "few pixels lie there: the noise of one scene"),
    "mae_away": Measure("error away from edges", False, 4, 0.0005, "a twentieth of the noise that the depth is given"),
    "boundary_f1": Measure("boundary F1", True, 3, 0.01, "counts thin contours: jumps by a thousandth at a pixel"),
    "flicker": Measure("flicker", False, 4, 0.0005, "steadying brings thirteen times that"),
    "layer_changes": Measure("pixels that change layer", False, 4, 0.001, "steadying brings thirty times that"),
    "frames_to_follow": Measure("frames late", False, 0, 0.0, "whole frames; one is a lag that shows"),
    "pair_order": Measure("pair order", True, 4, 0.002, "f32 and int8 differ by half of it"),
    "pair_order_drawn": Measure("pair order", True, 4, 0.02, "no net has seen such: for what is broken, not for ranks"),
    "delta1": Measure("δ1", True, 4, 0.002, "f32 and int8 differ by about as much"),
    "abs_rel": Measure("AbsRel", False, 4, 0.001, "f32 and int8 differ by half of it"),
    "edge_ratio": Measure("edge ratio", True, 3, 0.05, "2 % of it"),
}
