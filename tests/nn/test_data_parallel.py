import tinyconv
from tinyconv import nn


def test_it_passes_through_and_names_its_module():
    model = nn.Linear(2, 1)
    wrapped = nn.DataParallel(model, device_ids=[0, 1])
    x = tinyconv.ones(3, 2)
    assert wrapped(x).tolist() == model(x).tolist() and wrapped.module is model
    assert list(wrapped.state_dict()) == ["module.weight", "module.bias"]
    assert wrapped.cuda is not None and next(wrapped.parameters()) is model.weight
