"""The type stub says what a tensor can do today."""

from __future__ import annotations

import ast

import tinyconv
from tinyconv.ops import METHODS, OPERATORS, PROPERTIES
from tinyconv.ops.stubs import SOURCE, stub


def test_the_stub_is_up_to_date():
    assert SOURCE.with_suffix(".pyi").read_text(encoding="utf-8") == stub(), "run python -m tinyconv.ops.stubs"


def test_the_stub_declares_every_attribute():
    classes = {node.name: node for node in ast.parse(stub()).body if isinstance(node, ast.ClassDef)}
    declared = {node.name for node in classes["Tensor"].body if isinstance(node, ast.FunctionDef)}
    assert declared >= METHODS.keys() | OPERATORS.keys() | PROPERTIES.keys() | {
        "backward",
        "register_hook",
        "detach",
        "shape",
    }
    assert classes.keys() == {"device", "Size", "Tensor"}


def test_methods_say_what_they_do():
    for name in (*METHODS, *PROPERTIES):
        assert getattr(tinyconv.Tensor, name).__doc__, name
