import copy
import pickle
import re

import pytest

import tinyconv
from tinyconv import nn
from tinyconv.nn import Module, Parameter


class Block(Module):
    """A parameter, a buffer of each kind, and a child."""

    def __init__(self, n=2):
        super().__init__()
        self.scale = Parameter(tinyconv.ones(n))
        self.register_buffer("mean", tinyconv.zeros(n))
        self.register_buffer("scratch", tinyconv.zeros(1), persistent=False)
        self.inner = nn.Linear(n, n)

    def forward(self, x):
        return self.inner(x * self.scale)


# ---------------------------------------------------------------------------------------------------------- attributes


def test_values_are_filed_by_their_class():
    m = Module()
    m.p, m.child, m.n, m.t = Parameter(tinyconv.ones(1)), Module(), 3, tinyconv.ones(1)
    assert list(m._parameters) == ["p"] and list(m._modules) == ["child"]
    assert m.__dict__["n"] == 3 and "t" in m.__dict__ and not m._buffers


@pytest.mark.parametrize(
    "value, what",
    [(lambda: Parameter(tinyconv.ones(1)), "parameters"), (Module, "module")],
)
def test_assignment_before_init_says_so(value, what):
    class Early(Module):
        def __init__(self):
            self.x = value()

    with pytest.raises(AttributeError, match=re.escape(f"cannot assign {what} before Module.__init__() call")):
        Early()


def test_registration_before_init_says_so():
    class Early(Module):
        def __init__(self, register):
            register(self)

    with pytest.raises(AttributeError, match="cannot assign buffer before"):
        Early(lambda m: m.register_buffer("b", None))
    with pytest.raises(AttributeError, match="cannot assign parameter before"):
        Early(lambda m: m.register_parameter("p", None))
    with pytest.raises(AttributeError, match="cannot call a Early before"):
        Early(lambda m: None)(tinyconv.ones(1))


def test_a_name_changes_its_kind():
    m = Module()
    m.x = 3
    m.x = Parameter(tinyconv.ones(1))
    assert "x" not in m.__dict__ and "x" in m._parameters
    del m.x
    m.register_buffer("x", tinyconv.ones(1), persistent=False)
    m.x = Module()
    assert list(m._modules) == ["x"] and not m._buffers and not m._non_persistent_buffers_set
    m.x = Parameter(tinyconv.ones(1))
    assert list(m._parameters) == ["x"] and not m._modules


def test_a_reassigned_parameter_keeps_its_place():
    m = Module()
    m.a, m.b = Parameter(tinyconv.ones(1)), Parameter(tinyconv.ones(1))
    m.a = Parameter(tinyconv.zeros(1))
    assert [name for name, _ in m.named_parameters()] == ["a", "b"]


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("scale", 1.0, "cannot assign 'float' as parameter 'scale' (tinyconv.nn.Parameter or None expected)"),
        ("scale", tinyconv.ones(1), "cannot assign 'tinyconv.Tensor' as parameter 'scale'"),
        ("inner", 1, "cannot assign 'int' as child module 'inner' (tinyconv.nn.Module or None expected)"),
        ("mean", [0], "cannot assign 'list' as buffer 'mean'"),
    ],
)
def test_registered_names_take_only_their_kind(name, value, message):
    m = Block()
    with pytest.raises(TypeError, match=re.escape(message)):
        setattr(m, name, value)
    setattr(m, name, None)
    assert getattr(m, name) is None


def test_a_buffer_takes_another_tensor():
    m = Block()
    m.mean = tinyconv.ones(2)
    assert m._buffers["mean"].tolist() == [1.0, 1.0]
    m.scratch = tinyconv.ones(1)
    assert "scratch" not in m.state_dict()


def test_missing_and_deleted_attributes():
    m = Block()
    for name in ("scale", "mean", "inner"):
        delattr(m, name)
        with pytest.raises(AttributeError, match=f"'Block' object has no attribute '{name}'"):
            getattr(m, name)
    with pytest.raises(AttributeError):
        del m.scale


def test_what_one_instance_registers_no_other_has():
    class Net(Module):
        kept = "of the class"

    class Child(Net):
        pass

    class Grandchild(Child):
        layer = None  # of the class

    class Youngest(Grandchild):
        pass

    one, other, child = Net(), Net(), Child()
    one.layer, one.scale, one.kept = Block(), nn.Parameter(tinyconv.ones(1)), Block()
    one.register_buffer("mean", None)
    assert one.kept == other.kept == "of the class" and isinstance(one._modules["kept"], Block)  # as in PyTorch
    assert one.layer is one._modules["layer"] and one.scale is one._parameters["scale"] and one.mean is None
    for name in ("layer", "scale", "mean"):
        assert name in dir(one) and not any([hasattr(x, name) or name in dir(x) for x in (other, child)])
        with pytest.raises(AttributeError, match=f"type object 'Child' has no attribute '{name}'"):
            getattr(Child, name)
    youngest = Youngest()
    youngest.layer, youngest.scale = Block(), nn.Parameter(tinyconv.ones(1))
    assert youngest.layer is None and youngest.scale is youngest._parameters["scale"]
    child.layer, other.scale = 3, Block()  # something else by the same names
    assert child.layer == 3 and other.scale is other._modules["scale"] and "layer" in dir(child)


def test_what_others_have_registered_is_unknown_before_init():
    class Net(Module):
        def __init__(self):
            self.was_there = hasattr(self, "layer")
            super().__init__()
            self.layer = Block()

    assert not Net().was_there and not Net().was_there


def test_what_others_have_registered_hides_no_attribute_of_another_base():
    class Net(Module):
        def __init__(self):
            super().__init__()
            self.layer = Block()

    class Mixin:
        layer = "of the mixin"

    class Both(Net, Mixin):
        pass

    assert isinstance(Net().layer, Block)
    assert Both().layer == Both.layer == "of the mixin"  # as in PyTorch


def test_a_class_may_look_elsewhere_for_what_is_not_registered():
    class Wrapper(Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

        def __getattr__(self, name):
            try:
                return super().__getattr__(name)
            except AttributeError:
                return getattr(self.module, name)

    class Doubled(nn.Linear):
        def __getattr__(self, name):
            found = super().__getattr__(name)
            return 2 * found if name == "weight" else found

    plain, doubled = nn.Linear(2, 2), Doubled(2, 2)
    doubled.load_state_dict(plain.state_dict())
    assert doubled.weight.equal(2 * plain.weight) and doubled.bias.equal(plain.bias)
    inner = Block()
    inner.layer = Wrapper(Block())
    wrapper = Wrapper(inner)
    assert wrapper.layer is inner.layer and wrapper.scale is inner.scale
    with pytest.raises(AttributeError, match="'Block' object has no attribute 'other'"):
        wrapper.other  # noqa: B018


@pytest.mark.parametrize("kind", ["parameter", "buffer", "module"])
def test_names_that_cannot_be_registered(kind):
    m = Block()
    register = {"parameter": m.register_parameter, "buffer": m.register_buffer, "module": m.add_module}[kind]
    for name, error in (("a.b", KeyError), ("", KeyError), ("forward", KeyError), (3, TypeError)):
        with pytest.raises(error):
            register(name, None)


def test_values_that_cannot_be_registered():
    m = Module()
    with pytest.raises(TypeError, match=re.escape("cannot assign 'tinyconv.Tensor' object to parameter 'p'")):
        m.register_parameter("p", tinyconv.ones(1))
    with pytest.raises(TypeError, match="cannot assign 'int' object to buffer 'b'"):
        m.register_buffer("b", 3)
    with pytest.raises(TypeError, match="int is not a Module subclass"):
        m.add_module("m", 3)


def test_dir_lists_what_is_registered():
    names = dir(Block())
    assert {"scale", "mean", "inner", "forward"} <= set(names)
    assert "0" not in dir(nn.Sequential(Module()))


# ---------------------------------------------------------------------------------------------------- walking the tree


def test_names_are_paths():
    m = nn.Sequential(Block(), nn.ReLU(), Block())
    assert [name for name, _ in m.named_parameters()][:4] == ["0.scale", "0.inner.weight", "0.inner.bias", "2.scale"]
    assert [name for name, _ in m.named_buffers(prefix="net")] == [
        "net.0.mean", "net.0.scratch", "net.2.mean", "net.2.scratch"
    ]  # fmt: skip
    assert [name for name, _ in m.named_modules()] == ["", "0", "0.inner", "1", "2", "2.inner"]
    assert [name for name, _ in m.named_children()] == ["0", "1", "2"]
    assert [name for name, _ in m[0].named_parameters(recurse=False)] == ["scale"]
    assert len(list(m.modules())) == 6 and len(list(m.children())) == 3


def test_what_is_shared_is_listed_once():
    block = Block()
    m = nn.Sequential(block, block)
    m[0].tied = m[0].inner.weight
    assert len(list(m.parameters())) == 3
    assert len(list(m.modules())) == 3 and len(list(m.children())) == 1
    assert len(list(m.buffers())) == 2
    assert len(list(m.named_parameters(remove_duplicate=False))) == 8


def test_getting_by_path():
    m = nn.Sequential(Block())
    assert m.get_submodule("0.inner") is m[0].inner and m.get_submodule("") is m
    assert m.get_parameter("0.inner.weight") is m[0].inner.weight
    assert m.get_buffer("0.mean") is m[0].mean
    with pytest.raises(AttributeError, match="Block has no attribute `outer`"):
        m.get_submodule("0.outer")
    with pytest.raises(AttributeError, match="`scale` is not an nn.Module"):
        m.get_submodule("0.scale")
    with pytest.raises(AttributeError, match="`mean` is not an nn.Parameter"):
        m.get_parameter("0.mean")
    with pytest.raises(AttributeError, match="`scale` is not a buffer"):
        m.get_buffer("0.scale")
    with pytest.raises(AttributeError, match="Linear has no attribute `nothing`"):
        m.get_parameter("0.inner.nothing")


# ------------------------------------------------------------------------------------------------------------- changing


def test_train_and_eval_reach_everyone():
    m = nn.Sequential(Block())
    assert m.eval() is m and not any(x.training for x in m.modules())
    assert m.train() is m and all(x.training for x in m.modules())
    with pytest.raises(ValueError, match="boolean"):
        m.train(1)


def test_apply_goes_children_first():
    order = []
    m = nn.Sequential(nn.Sequential(nn.ReLU()), nn.Tanh())
    assert m.apply(lambda x: order.append(type(x).__name__)) is m
    assert order == ["ReLU", "Sequential", "Tanh", "Sequential"]


def test_requires_grad_freezes():
    m = Block()
    assert m.requires_grad_(False) is m and not any(p.requires_grad for p in m.parameters())


def test_zero_grad():
    m = Block()
    m(tinyconv.ones(1, 2)).sum().backward()
    g = m.scale.grad
    m.zero_grad(set_to_none=False)
    assert m.scale.grad is g and g.tolist() == [0.0, 0.0]
    m.zero_grad()
    assert all(p.grad is None for p in m.parameters())


def test_zero_grad_cuts_a_recorded_gradient_off():
    m = Block()
    (m(tinyconv.ones(1, 2)) ** 2).sum().backward(create_graph=True)
    assert m.scale.grad.requires_grad
    m.zero_grad(set_to_none=False)
    assert not m.scale.grad.requires_grad and m.scale.grad.tolist() == [0.0, 0.0]


def test_to_converts_floats_in_place():
    m = Block()
    m.register_buffer("count", tinyconv.tensor(3))
    m(tinyconv.ones(1, 2)).sum().backward()
    before = dict(m.named_parameters())
    assert m.double() is m
    assert all(p is before[name] and p.dtype is tinyconv.float64 for name, p in m.named_parameters())
    assert m.scale.grad.dtype is tinyconv.float64 and m.mean.dtype is tinyconv.float64
    assert m.count.dtype is tinyconv.int64
    assert m.float().scale.dtype is tinyconv.float32
    for args, kwargs in (
        ((tinyconv.float64,), {}),
        (("cpu", tinyconv.float64), {}),
        ((), {"dtype": tinyconv.float64}),
        ((tinyconv.ones(1, dtype=tinyconv.float64),), {"non_blocking": True}),
        ((), {"tensor": tinyconv.ones(1, dtype=tinyconv.float64)}),
    ):
        assert m.float().to(*args, **kwargs).scale.dtype is tinyconv.float64
    assert m.to("cpu").cpu().scale.requires_grad


def test_a_converted_module_still_learns():
    m = nn.Linear(2, 1)
    m(tinyconv.ones(1, 2)).sum().backward()
    m.double()
    m(tinyconv.ones(1, 2, dtype=tinyconv.float64)).sum().backward()
    assert m.weight.grad.tolist() == [[2.0, 2.0]] and m.weight.grad.dtype is tinyconv.float64


def test_to_empty_keeps_all_but_the_values():
    m = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    before = {name: (p, p.array) for name, p in m.named_parameters()}
    assert m.to_empty(device="cpu") is m
    for name, p in m.named_parameters():
        assert p is before[name][0] and p.array is not before[name][1] and p.shape == before[name][1].shape
    outer = nn.Sequential(m)
    array = m[0].weight.array
    outer.to_empty(device="cpu", recurse=False)
    assert m[0].weight.array is array


def test_to_refuses_what_makes_no_sense():
    with pytest.raises(TypeError, match="floating point"):
        Block().to(tinyconv.int64)
    with pytest.raises(TypeError, match="expected a device"):
        Block().to()
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        Block().to(colour="red")


@pytest.mark.parametrize("again", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_independent_and_keep_what_is_shared(again):
    m = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.BatchNorm1d(2)).eval()
    m[1].weight = m[0].weight
    n = again(m)
    assert n[0].weight is n[1].weight and n[0].weight is not m[0].weight
    assert repr(n) == repr(m) and not n.training
    with tinyconv.no_grad():
        n[0].weight.fill_(0)
        n[2].running_mean.fill_(5)
    assert m[0].weight.abs().sum().item() > 0 and m[2].running_mean.tolist() == [0.0, 0.0]


# ---------------------------------------------------------------------------------------------------------------- hooks


def test_forward_without_definition():
    with pytest.raises(NotImplementedError, match=r'Module \[Module\] is missing the required "forward" function'):
        Module()(1)


class Plus(Module):
    def forward(self, x, y=0):
        return x + y


def test_forward_hooks_see_and_replace():
    m, seen = Plus(), []
    watch = m.register_forward_hook(lambda *a: seen.append(a))
    double = m.register_forward_hook(lambda module, args, out: 2 * out)
    assert m(1) == 2 and seen == [(m, (1,), 1)]
    first = m.register_forward_hook(lambda module, args, out: out + 10, prepend=True)
    assert m(1) == 22 and seen[-1] == (m, (1,), 11)
    for handle in (watch, double, first, first):
        handle.remove()
    assert m(1) == 1 and len(seen) == 2


def test_forward_pre_hooks_replace_arguments():
    m = Plus()
    with m.register_forward_pre_hook(lambda module, args: (args[0] + 1,)):
        assert m(1) == 2
    with m.register_forward_pre_hook(lambda module, args: 7):
        assert m(1) == 7
    assert m(1) == 1
    with m.register_forward_pre_hook(lambda module, args, kwargs: (args, {"y": 5}), with_kwargs=True):
        assert m(1) == 6
    with m.register_forward_pre_hook(lambda module, args, kwargs: args, with_kwargs=True), pytest.raises(RuntimeError):
        m(1)


def test_hooks_with_kwargs():
    m = Plus()
    m.register_forward_hook(lambda module, args, kwargs, out: (args, kwargs, out), with_kwargs=True)
    assert m(1, y=2) == ((1,), {"y": 2}, 3)


# ------------------------------------------------------------------------------------------------------------- printing


class Named(Module):
    def __init__(self, extra):
        super().__init__()
        self.extra = extra

    def extra_repr(self):
        return self.extra


def test_repr():
    assert repr(Module()) == "Module()"
    assert repr(Named("n=1")) == "Named(n=1)"
    assert repr(Named("n=1\nm=2")) == "Named(\n  n=1\n  m=2\n)"
    m = Named("n=1")
    m.a = nn.Sequential(nn.ReLU())
    assert repr(m) == "Named(\n  n=1\n  (a): Sequential(\n    (0): ReLU()\n  )\n)"
