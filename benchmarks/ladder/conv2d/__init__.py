"""The rungs of convolution. Each file has one function ``conv2d(x, w)``, the correlation without padding:

y[n, o, i, j] = sum over c, kh, kw of  w[o, c, kh, kw] * x[n, c, i + kh, j + kw]
"""
