import tinyconv.nn.functional as F
from tinyconv import ops


def test_every_name_is_the_op_itself():
    assert all(getattr(F, name) is getattr(ops, name) for name in F.__all__)
