"""Several training processes that keep one set of weights: `torchrun --nproc-per-node N main.py ...`.

Each process draws its own samples; gradients are averaged over all of them after each step
(synchronous data parallelism, as in Goyal et al. 2017, "Accurate, large minibatch SGD"), so the
weights stay alike without being sent. Alone, everything here does nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class Crew:
    """The processes of a run: this one's number and how many there are."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes, evaluates and speaks for all."""
        return self.rank == 0

    def total(self, *values: float) -> list[float]:
        """The sums of `values` over all processes. Each process must ask at the same point."""
        if self.size == 1:
            return list(values)
        sums = torch.tensor(values, dtype=torch.float64)
        if dist.get_backend() == "nccl":
            sums = sums.cuda()
        dist.all_reduce(sums)
        return sums.tolist()

    @torch.no_grad()
    def average(self, model: nn.Module) -> None:
        """Make gradients and batch norm statistics the mean of all processes', in one message."""
        if self.size == 1:
            return
        shared: list[Tensor] = [p.grad for p in model.parameters() if p.grad is not None]
        shared += [b for b in model.buffers() if b.is_floating_point()]
        flat = torch.cat([t.reshape(-1) for t in shared])
        dist.all_reduce(flat)
        flat /= self.size
        for t, part in zip(shared, flat.split([t.numel() for t in shared])):
            t.copy_(part.view_as(t))

    def gathered(self, thing: object) -> list[object]:
        """What each process has, in the order of their numbers."""
        if self.size == 1:
            return [thing]
        found: list[object] = [None] * self.size
        dist.all_gather_object(found, thing)
        return found


ALONE = Crew()


def join() -> Crew:
    """The crew that torchrun started (RANK, WORLD_SIZE and the address are in the environment), or
    this process alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return ALONE
    if not dist.is_initialized():
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return Crew(dist.get_rank(), size)
