import inspect

import tinyconv.nn.functional as F
from tinyconv import ops


def test_every_name_is_the_op_itself():
    assert all(inspect.unwrap(getattr(F, name)) is inspect.unwrap(getattr(ops, name)) for name in F.__all__)
