from collections import OrderedDict

import pytest

import tinyconv
from tinyconv import nn


def linears(*widths):
    return [nn.Linear(n, n) for n in widths]


def test_sequential_applies_one_after_another():
    class Add(nn.Module):
        def __init__(self, n):
            super().__init__()
            self.n = n

        def forward(self, x):
            return [*x, self.n]

    assert nn.Sequential(Add(1), Add(2), Add(3))([]) == [1, 2, 3]
    assert nn.Sequential()("x") == "x"


def test_sequential_is_a_list():
    a, b, c, d = linears(1, 2, 3, 4)
    s = nn.Sequential(a, b, c)
    assert len(s) == 3 and list(s) == [a, b, c] and s[0] is a and s[-1] is c
    assert list(s[1:]) == [b, c] and type(s[:1]) is nn.Sequential
    assert list(s.append(d)) == [a, b, c, d]
    assert list(s.insert(1, d)) == [a, d, b, c, d] and list(s.insert(-1, a)) == [a, d, b, c, a, d]
    del s[0]
    assert list(s) == [d, b, c, a, d] and list(s._modules) == ["0", "1", "2", "3", "4"]
    del s[1:4]
    assert list(s) == [d, d]
    s[0] = a
    assert list(s) == [a, d] and s.pop(0) is a and list(s) == [d]
    assert list(s.extend([b, c])) == [d, b, c]
    assert list(nn.Sequential(a) + nn.Sequential(b)) == [a, b]
    assert list(nn.Sequential(a, b) * 2) == list(2 * nn.Sequential(a, b)) == [a, b, a, b]
    assert list(nn.Sequential(a) * 1) == [a]
    s = nn.Sequential(a)
    s += s
    assert list(s) == [a, a]


def test_sequential_of_named_modules():
    a, b = linears(1, 2)
    s = nn.Sequential(OrderedDict(first=a, second=b))
    assert s.first is a and s[1] is b and list(s[1:]._modules) == ["second"]
    assert list(s.state_dict()) == ["first.weight", "first.bias", "second.weight", "second.bias"]


@pytest.mark.parametrize("container", [nn.Sequential(*linears(1, 2)), nn.ModuleList(linears(1, 2))])
def test_indices_out_of_range(container):
    for index in (2, -3):
        with pytest.raises(IndexError, match=f"index {index} is out of range"):
            container[index]
        with pytest.raises(IndexError):
            del container[index]
    with pytest.raises(IndexError):
        container.insert(3, nn.ReLU())
    with pytest.raises(TypeError):
        container.insert(0, "relu")
    with pytest.raises(TypeError):
        container[0] = 3
    with pytest.raises(TypeError):
        container.extend(3)


def test_sequential_refuses_other_operands():
    s = nn.Sequential(nn.ReLU())
    with pytest.raises(ValueError, match="Sequential"):
        s + [nn.ReLU()]
    with pytest.raises(ValueError, match="Non-positive"):
        s * 0
    with pytest.raises(TypeError):
        s * 1.5
    with pytest.raises(TypeError, match="not a Module subclass"):
        nn.Sequential(1)


def test_module_list_registers():
    a, b, c = linears(1, 2, 3)
    m = nn.ModuleList([a, b])
    assert len(list(m.parameters())) == 4
    m += [c]
    assert list(m) == [a, b, c] and list(m[1:]) == [b, c] and type(m[1:]) is nn.ModuleList
    assert list(m + [a]) == [a, b, c, a] and len(m) == 3
    m.insert(0, c)
    assert m[0] is c and m.pop(0) is c
    with pytest.raises(NotImplementedError):
        m(1)


def test_module_list_prints_runs_once():
    m = nn.ModuleList([*linears(1, 1, 2)])
    assert repr(m) == (
        "ModuleList(\n"
        "  (0-1): 2 x Linear(in_features=1, out_features=1, bias=True)\n"
        "  (2): Linear(in_features=2, out_features=2, bias=True)\n"
        ")"
    )
    assert repr(nn.ModuleList()) == "ModuleList()"


def test_module_dict():
    a, b = linears(1, 2)
    m = nn.ModuleDict({"a": a})
    m["b"] = b
    assert list(m) == ["a", "b"] == list(m.keys()) and list(m.values()) == [a, b] and m["a"] is a
    assert list(m.items()) == [("a", a), ("b", b)] and "a" in m and "c" not in m and len(m) == 2
    assert list(m.state_dict()) == ["a.weight", "a.bias", "b.weight", "b.bias"]
    assert m.pop("a") is a and list(m) == ["b"]
    m.update([("c", a), ["b", a]])
    assert m["b"] is a and m["c"] is a
    m.update(nn.ModuleDict({"d": b}))
    del m["b"]
    assert list(m) == ["c", "d"]
    m.clear()
    assert len(m) == 0
    with pytest.raises(TypeError, match="iterable of key/value pairs"):
        m.update(3)
    with pytest.raises(ValueError, match="has length 3; 2 is required"):
        m.update([(1, 2, 3)])


def test_parameter_list():
    m = nn.ParameterList([tinyconv.ones(2), nn.Parameter(tinyconv.ones(1), requires_grad=False)])
    assert [type(p) for p in m] == [nn.Parameter] * 2 and len(list(m.parameters())) == 2
    m.append(tinyconv.zeros(3))
    m += [tinyconv.zeros(4)]
    assert len(m) == 4 and m[-1].shape == (4,) and len(m[1:3]) == 2
    m[0] = tinyconv.zeros(5)
    assert m[0].shape == (5,) and list(m.state_dict()) == ["0", "1", "2", "3"]
    with pytest.raises(IndexError):
        m[4]


def test_printing_as_pytorch():
    torch = pytest.importorskip("torch")

    def build(lib):
        relu, linear, n = lib.nn.ReLU, lib.nn.Linear, lib.nn
        return [
            n.Sequential(),
            n.Sequential(linear(1, 2), n.Sequential(relu(inplace=True), n.Tanh())),
            n.ModuleList([n.Sequential(relu()), n.Sequential(relu()), relu()]),
            n.ModuleDict({"a": relu(), "b": n.ModuleList()}),
            n.ModuleDict(),
            n.ParameterList([lib.ones(2, 3), lib.ones(1)]),
            n.ParameterList([lib.ones(2)]),
        ]

    assert [repr(m).replace("torch.", "tinyconv.") for m in build(torch)] == [repr(m) for m in build(tinyconv)]


# -------------------------------------------------------------------------------------------- layers run as one kernel


def block(**options):
    pool = {"kernel_size": 2} | options.pop("pool", {})
    return nn.Sequential(nn.Conv2d(2, 3, 3, **({"padding": 1} | options)), nn.ReLU(), nn.MaxPool2d(**pool))


def one_by_one(model, x):
    for module in model:
        x = module(x)
    return x


def is_fused(model, x) -> bool:
    return model(x).grad_fn.operation() in ("Conv2dReLUMaxPool2d", "LinearReLU")


def assert_the_same(model, x):
    """Output and gradients, run as one and one by one."""
    results = []
    for run in (model, lambda x: one_by_one(model, x)):
        model.zero_grad()
        x.grad = None
        y = run(x)
        (y**2).sum().backward()
        results.append([y, x.grad, *[p.grad for p in model.parameters()]])
    for a, b in zip(*results, strict=True):
        assert tinyconv.allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "options", [{}, {"stride": (1, 2)}, {"dilation": 2, "bias": False}, {"padding": (0, 2)}, {"padding": "same"}]
)
@pytest.mark.parametrize("N", [3, 16])
def test_convolution_relu_and_pooling_run_as_one(options, N):
    model, x = block(**options), tinyconv.randn(N, 2, 9, 10, requires_grad=True)
    assert is_fused(model, x)
    assert_the_same(model, x)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_a_linear_layer_and_relu_run_as_one(shape, bias):
    model, x = nn.Sequential(nn.Linear(4, 5, bias=bias), nn.ReLU()), tinyconv.randn(*shape, requires_grad=True)
    assert is_fused(model, x) or len(shape) != 2  # of other shapes the last step is another reshape
    assert_the_same(model, x)


@pytest.mark.parametrize(
    "build, shape", [(block, (2, 2, 8, 8)), (lambda: nn.Sequential(nn.Linear(2, 3), nn.ReLU()), (4, 2))]
)
def test_hooks_see_what_they_would_see(build, shape):
    """A hook on any of the layers makes them run one by one again."""
    for i in range(len(build())):
        model, x, seen = build(), tinyconv.randn(shape), []
        handle = model[i].register_forward_hook(lambda module, args, y, seen=seen: seen.append(y))
        assert not is_fused(model, x) and len(seen) == 1
        handle.remove()
        assert is_fused(model, x) and len(seen) == 1


@pytest.mark.parametrize(
    "options",
    [{"pool": {"kernel_size": 3}}, {"pool": {"stride": 1}}, {"pool": {"padding": 1}},
     {"pool": {"dilation": 2}}, {"pool": {"ceil_mode": True}}],
)  # fmt: skip
def test_other_layers_run_one_by_one(options):
    model, x = block(**options), tinyconv.randn(2, 2, 9, 9)
    assert not is_fused(model, x)
    assert model(x).equal(one_by_one(model, x))


def test_a_subclass_or_a_method_of_its_own_is_respected():
    class Louder(nn.ReLU):
        def forward(self, x):
            return 2 * super().forward(x)

    model, x = block(), tinyconv.randn(2, 2, 8, 8)
    model[1] = Louder()
    assert not is_fused(model, x)
    model = block()
    model[0].forward = lambda x: x
    assert model(x).equal(nn.MaxPool2d(2)(nn.ReLU()(x)))


def test_errors_are_those_of_the_convolution():
    with pytest.raises(RuntimeError, match="conv2d: weight expects 2 input channels, x has 1"):
        block()(tinyconv.randn(4, 1, 8, 8))
    with pytest.raises(RuntimeError, match="conv2d: the kernel"):
        block(padding=0)(tinyconv.randn(4, 2, 2, 2))
    with pytest.raises(RuntimeError, match="float64"):
        block()(tinyconv.randn(4, 2, 8, 8).double())
    model = block()
    model[0].bias = nn.Parameter(tinyconv.randn(5))
    with pytest.raises(RuntimeError, match=r"conv2d: bias must have shape \(3,\)"):
        model(tinyconv.randn(4, 2, 8, 8))
    assert block()(tinyconv.randn(2, 8, 8)).shape == (3, 4, 4)  # one image
    assert block()(tinyconv.randn(0, 2, 8, 8)).shape == (0, 3, 4, 4)


def test_sequential_times_a_number_in_place():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    same, layers = net, list(net)
    net *= 2
    assert net is same and list(net) == layers * 2 and list(net.state_dict())[-1] == "2.bias"
    with pytest.raises(ValueError, match="Non-positive multiplication factor 0"):
        net *= 0


def test_a_parameter_list_holds_other_values_too():
    values = nn.ParameterList([tinyconv.ones(2), "name"])
    values.append(3)
    assert list(values)[1:] == ["name", 3] and [n for n, _ in values.named_parameters()] == ["0"]
    assert isinstance(values[0], nn.Parameter) and values[-1] == 3
    values[1] = tinyconv.zeros(1)
    assert list(values.state_dict()) == ["0", "1"]
    for wrong in (3, tinyconv.ones(2)):
        with pytest.raises(TypeError, match="ParameterList.extend should be called with an iterable"):
            values.extend(wrong)
    with pytest.raises(RuntimeError, match="ParameterList should not be called"):
        values()


def test_parameter_dict():
    w, b = tinyconv.ones(2), nn.Parameter(tinyconv.zeros(3))
    values = nn.ParameterDict({"w": w, "b": b})
    assert list(values) == ["b", "w"] and values["b"] is b and isinstance(values["w"], nn.Parameter)
    assert list(values.state_dict()) == ["b", "w"] and len(values) == 2 and "w" in values and "x" not in values
    values["x"] = 5
    assert values.get("x") == 5 and values.get("y", 1) == 1 and list(reversed(values)) == ["x", "w", "b"]
    assert values.setdefault("x", 6) == 5 and values.popitem() == ("x", 5)
    assert values.pop("b") is b and list(values.keys()) == ["w"]
    other = values.copy() | nn.ParameterDict([("z", tinyconv.ones(1))])
    assert list(other) == ["w", "z"] and dict(other.items())["w"] is values["w"] and len(values) == 1
    values |= other
    assert len(values.values()) == 2
    assert list(values.fromkeys(["a", "b"], 2).values()) == [2, 2]
    values.clear()
    assert len(values) == 0 and list(values.parameters()) == []
    for wrong, error, message in (
        (3, TypeError, "iterable of key/value pairs"),
        ([("a",)], ValueError, "has length 1"),
    ):
        with pytest.raises(error, match=message):
            values.update(wrong)
    with pytest.raises(TypeError, match="a key must be a string, got 1 of type int"):
        values[1] = w
    with pytest.raises(KeyError, match="empty"):
        values.popitem()


def test_parameters_in_a_list_or_a_dict_print_as_in_pytorch():
    torch = pytest.importorskip("torch")
    for library in (tinyconv, torch):
        text = repr(library.nn.ParameterList([library.ones(2, 3), 4]))
        assert text.replace("torch.", "tinyconv.") == (
            "ParameterList(\n    (0): Parameter containing: [tinyconv.float32 of size 2x3]\n"
            "    (1): Object of type: int\n)"
        )
    assert repr(nn.ParameterDict({"a": 1})) == repr(torch.nn.ParameterDict({"a": 1}))
