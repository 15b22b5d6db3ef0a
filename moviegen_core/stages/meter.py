"""What work will cost and what it did cost: memory, told before and measured after."""

import sys

import torch

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]


def peak_bytes(device: torch.device | str = "cpu") -> int | None:
    """The most memory this process ever held, on a CUDA device what torch held there; None where unknown."""
    if torch.device(device).type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if resource is None:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def told_bytes(count: float) -> str:
    """Bytes as people read them: 850 MB, 2.4 GB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
