"""The rungs of the matrix product. Each file has one function ``matmul(a, b)``:

c[i, j] = sum over k of  a[i, k] * b[k, j]
"""
