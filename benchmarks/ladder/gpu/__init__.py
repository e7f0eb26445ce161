"""The GPU's ladder: the matrix product, from one thread per number to a pipelined register tile, one idea per rung.

Each rung is a file with a kernel, what one thread does, and ``matmul(a, b)``, which launches it: ``a`` (M, K) and ``b``
(K, N) are arrays on the GPU, or on the simulated one::

    with tinyconv.cuda.simulated():
        a, b = (kernels.on("cuda").from_host(x) for x in (numpy_a, numpy_b))
        c = kernels.on("cuda").to_host(naive.matmul(a, b))

``python -m benchmarks gpu --only ladder`` races them. The kernel that the library itself uses, on top of all this a
tile whose operands are read as they lie (transposed, batched, gathered from an image), is
``tinyconv/kernels/cuda/tile.py``.
"""

RUNGS = ("naive", "coalesced", "shared", "registers", "vectors", "pipeline")
