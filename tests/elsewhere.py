"""A second device on a machine that has none: tensors that say they are on `meta`, and compute on the processor.

As on a GPU, an operation that mixes them with tensors of the processor fails, but for those of no dimension.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

ELSEWHERE = torch.device("meta")
_MOVES = (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)
_LENGTHS = {torch.ops.aten._ctc_loss.Tensor: (2, 4), torch.ops.aten._ctc_loss_backward.Tensor: (3, 5)}
"""Which tensors (from, to) are lengths that they take from the processor on a GPU, too."""


class Far(Tensor):
    """A tensor there; `near` is what it holds."""

    near: Tensor

    @staticmethod
    def __new__(cls, near: Tensor) -> "Far":
        far = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, near.shape, strides=near.stride(), dtype=near.dtype, device=ELSEWHERE, requires_grad=False
        )
        far.near = near
        return far

    def tolist(self) -> Any:
        """Numbers come from anywhere; torch refuses it for classes of one's own."""
        return self.near.tolist()

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
        return _computed(function, arguments, named or {})


class _There(TorchDispatchMode):
    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
        return _computed(function, arguments, named or {})


class _Made(TorchFunctionMode):
    """`torch.tensor`, which makes what it makes below the reach of `_There`."""

    def __torch_function__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
        named = named or {}
        wanted = named.get("device")
        if function is not torch.tensor or wanted is None or torch.device(wanted) != ELSEWHERE:
            return function(*arguments, **named)
        return function(*arguments, **(named | {"device": "cpu"})).to(ELSEWHERE)


def _computed(function: Any, arguments: Any, named: dict[str, Any]) -> Any:
    tensors = [one for one in tree_leaves((arguments, named)) if isinstance(one, Tensor)]
    far = any(isinstance(one, Far) for one in tensors)
    start, end = _LENGTHS.get(function, (0, 0))
    together = tensors[:start] + tensors[end:]
    if far and function not in _MOVES and any(not isinstance(one, Far) and one.dim() for one in together):
        raise RuntimeError(f"{function} mixes devices")
    wanted = named.get("device")
    if wanted is not None:
        far = torch.device(wanted) == ELSEWHERE
        named = named | {"device": torch.device("cpu")}
    if function is torch.ops.aten.copy_.default:
        far = isinstance(arguments[0], Far)
    near = tree_map(lambda one: one.near if isinstance(one, Far) else one, (arguments, named))
    with torch._C._DisableTorchDispatch():
        found = function(*near[0], **near[1])
    if function is torch.ops.aten.copy_.default or (tensors and found is getattr(tensors[0], "near", None)):
        return arguments[0]  # in place
    return tree_map(lambda one: Far(one) if far and isinstance(one, Tensor) else one, found)


@contextmanager
def second_device() -> Iterator[torch.device]:
    """Within, tensors can be made there and moved there."""
    with _There(), _Made():
        yield ELSEWHERE
