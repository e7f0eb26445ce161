"""Models as `ONNX <https://onnx.ai>`_ files, which ONNX Runtime, OpenCV, TensorRT and browsers run: :func:`export`.

A model is a program, and an ONNX file is a graph; it is found by running the program once and writing down each
:class:`~tinyconv.autograd.Function` that it applies (``trace.py``). Each has its counterpart among ONNX's operators
(``operators.py``). What such a recording cannot see, a Python ``if`` or a number read out of a tensor, would be frozen
into the graph; so the program is run a second time on other numbers, and on other sizes where an axis is to be dynamic,
and the two recordings are compared (``graph.py``): a size that differs becomes an unknown of the graph, and anything
else that differs is an error.
"""

from .exporter import export, is_in_onnx_export
from .graph import ExportError
from .operators import UnsupportedOperatorError

__all__ = ["ExportError", "UnsupportedOperatorError", "export", "is_in_onnx_export"]
