"""Training losses as named terms.

A term takes `b 1 h w` float32 maps (NaN target = no measurement) and gives one value a picture, so
that a term may count for metric pictures only. `total_loss` adds them up, last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from torch import Tensor

from . import defocus, pointwise, ranking, relative, structure

Term = Callable[[Tensor, Tensor], Tensor]

RELATIVE: dict[str, Term] = {"affine": relative.affine, "gradient": relative.gradient}
ORDINAL: dict[str, Term] = {"ranking": ranking.ranking}
METRIC: dict[str, Term] = {
    "log_l1": pointwise.log_l1,
    "aligned_log": pointwise.aligned_log,
    "l1": pointwise.l1,
    "bce": pointwise.bce,
    "silog": pointwise.silog,
    "berhu": pointwise.berhu,
    "virtual_normal": structure.virtual_normal,
}


def use_disparity(names: Iterable[str]) -> bool:
    """Whether any of these terms can be trained on a disparity of unknown scale and offset."""
    return any(name in RELATIVE or name in ORDINAL for name in names)


def total_loss(
    weights: Mapping[str, float], prediction: Tensor, target: Tensor, image: Tensor, metric: Tensor
) -> dict[str, Tensor]:
    """The terms that `weights` names, each as a mean over the batch, and their weighted sum `total`.

    metric: bool, shape b: whose targets are metres. image: `b 3 h w` in [0, 1].
    """
    terms: dict[str, Tensor] = {name: _term(name, prediction, target, image, metric).mean() for name in weights}
    total = sum((weight * terms[name] for name, weight in weights.items()), prediction.new_zeros(()))
    return terms | {"total": total}


def _term(name: str, prediction: Tensor, target: Tensor, image: Tensor, metric: Tensor) -> Tensor:
    if name == "smoothness":
        return structure.smoothness(prediction, image)
    if name == "defocus":
        return defocus.defocus(prediction, target, image) * metric
    if name in RELATIVE:
        return RELATIVE[name](prediction, target)
    if name in ORDINAL:
        return ORDINAL[name](prediction, target)
    return METRIC[name](prediction, target) * metric
