"""One training process, or one of several that `torchrun` started."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True, slots=True)
class Process:
    """Which one of how many this is, and what it trains on."""

    rank: int
    world: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Does this one validate, write and talk?"""
        return self.rank == 0

    def shared(self, net: nn.Module) -> nn.Module:
        """`net`, whose gradients are averaged over all processes from now on."""
        if self.world == 1:
            return net
        ids = [self.device.index] if self.device.type == "cuda" else None
        return DistributedDataParallel(net, device_ids=ids)

    def wait_for_all(self) -> None:
        """Return when every process has come here."""
        if self.world > 1:
            distributed.barrier()


@contextmanager
def joined() -> Generator[Process]:
    """This process, joined to the others that `torchrun` names in the environment, if it did."""
    cuda = torch.cuda.is_available()
    world, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    if world == 1:
        yield Process(0, 1, device)
        return
    # The others wait while the first validates.
    distributed.init_process_group("nccl" if cuda else "gloo", timeout=timedelta(hours=2))
    try:
        yield Process(rank, world, device)
    finally:
        distributed.destroy_process_group()
