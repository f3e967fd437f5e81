"""The same numbers from a seed in every process, without a trace in the global state of torch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

# Generator, default dtype and number of threads belong to the process: threads take turns.
_TURN = threading.RLock()


def check_device(device: str) -> Any:
    """Return the torch device of that name.

    Parameters
    ----------
    device : str
        Such as "cpu" or "cuda:0".

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If torch does not know it or cannot compute on it.
    """
    try:
        found = torch.device(device)
        torch.empty(1, device=found).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"device={device!r} cannot be used here: {str(error).splitlines()[0]} "
            "Use device='cpu' or a device that this installation of torch offers."
        ) from error
    return found


@contextmanager
def reproducible(seed: int, device: str) -> Iterator[None]:
    """Seed torch, compute in one thread, and restore everything at the end.

    The bits of a convolution or of a batch normalisation depend on the number of threads, and
    workers of joblib have one. One thread everywhere makes fits and transforms identical in all
    of them; for usual batches a second thread gains little, and with busy cores costs much.

    Parameters
    ----------
    seed : int
        Seed of the generator of the CPU and of `device`.
    device : str
        A name that `check_device` accepts.

    Yields
    ------
    None
    """
    target = check_device(device)
    # Only these generators are seeded and restored: torch.manual_seed would reseed all devices.
    accelerators = [] if target.type != "cuda" else [target]
    with _TURN:
        n_threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
        torch.set_num_threads(1)
        torch.set_default_dtype(torch.float32)
        try:
            with torch.random.fork_rng(devices=accelerators):
                torch.default_generator.manual_seed(seed)
                if accelerators:
                    with torch.cuda.device(target):
                        torch.cuda.manual_seed(seed)
                yield
        finally:
            torch.set_default_dtype(dtype)
            torch.set_num_threads(n_threads)
