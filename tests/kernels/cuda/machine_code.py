"""Which instructions a cubin consists of, read from the ELF file: no disassembler is needed to count them."""

from __future__ import annotations

import struct
from collections import Counter

# The lowest nine bits of an instruction of Turing to Blackwell; the tenth to twelfth say what kind of operands it has.
NAMES = {0x20: "FMUL", 0x21: "FADD", 0x23: "FFMA", 0x28: "DMUL", 0x29: "DADD", 0x2B: "DFMA",
         0x3C: "HMMA"}  # fmt: skip


def instructions(cubin: bytes) -> list[str]:
    """The kernel's instructions in their order: a name of ``NAMES``, or "other"."""
    table, width, count, names_at = struct.unpack_from("<Q", cubin, 0x28)[0], *struct.unpack_from("<HHH", cubin, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", cubin, table + i * width) for i in range(count)]
    names = cubin[sections[names_at][4] :]
    return [
        NAMES.get(struct.unpack_from("<Q", cubin, at)[0] & 0x1FF, "other")
        for name, _, _, _, offset, size, *_ in sections
        if names[name:].startswith(b".text.")
        for at in range(offset, offset + size, 16)
    ]


def floating_instructions(cubin: bytes) -> Counter[str]:
    """How many of each of ``NAMES`` there are."""
    return Counter(instructions(cubin))


def fused_share(cubin: bytes) -> float:
    """The share of FFMA among the instructions from the first to the last of them: the one loop that has any."""
    names = instructions(cubin)
    places = [i for i, name in enumerate(names) if name == "FFMA"]
    return len(places) / (places[-1] - places[0] + 1)
