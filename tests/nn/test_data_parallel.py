import tinyconv
from tinyconv import nn


def test_it_passes_through_and_names_its_module():
    model = nn.Linear(2, 1)
    wrapped = nn.DataParallel(model, device_ids=[0, 1])
    x = tinyconv.ones(3, 2)
    assert wrapped(x).tolist() == model(x).tolist() and wrapped.module is model
    assert list(wrapped.state_dict()) == ["module.weight", "module.bias"]
    assert wrapped.cuda is not None and next(wrapped.parameters()) is model.weight


def test_the_function():
    model, x = nn.Bilinear(2, 2, 1), tinyconv.ones(3, 2)
    assert nn.parallel.data_parallel(model, (x, x), [0]).tolist() == model(x, x).tolist()
    assert nn.parallel.data_parallel(nn.Flatten(), x, None).shape == (3, 2)
