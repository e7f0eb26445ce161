"""``torch.utils.dlpack``: memory that several libraries look into."""

from ..ops.exchange import from_dlpack, to_dlpack

__all__ = ["from_dlpack", "to_dlpack"]
