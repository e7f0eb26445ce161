# Dual numbers, Functions of one's own, the graph's names, and gradients by whatever is iterable.
import torch
import torch.autograd.forward_ad as fwAD
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd import Function, grad, gradcheck

primal, tangent = torch.randn(4, 4), torch.randn(4, 4)


def fn(x, y):
    return x**2 + y**2


with fwAD.dual_level():
    dual_input = fwAD.make_dual(primal, tangent)
    assert fwAD.unpack_dual(dual_input).tangent is not None
    dual_output = fn(dual_input, tangent)
    jvp = fwAD.unpack_dual(dual_output).tangent
    plain_output = fn(primal, tangent)
    print(torch.allclose(jvp, 2 * primal * tangent), fwAD.unpack_dual(plain_output).tangent)
assert fwAD.unpack_dual(dual_output).tangent is None

model = nn.Linear(5, 3)
x = torch.randn(2, 5)
params = {name: p for name, p in model.named_parameters()}
tangents = {name: torch.rand_like(p) for name, p in params.items()}
with fwAD.dual_level():
    for name, p in params.items():
        delattr(model, name)
        setattr(model, name, fwAD.make_dual(p, tangents[name]))
    out = model(x)
    jvp = fwAD.unpack_dual(out).tangent
    print(jvp.detach())
print(torch.func.jvp(lambda w, b: F.linear(x, w, b), tuple(params.values()), tuple(tangents.values()))[1].detach())


class GradientReversal(Function):
    @staticmethod
    def forward(ctx, x, alpha):
        ctx.alpha = alpha
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output.neg() * ctx.alpha, None


class Cube(Function):
    @staticmethod
    def forward(x):
        return x**3, 3 * x**2

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0], output[1])

    @staticmethod
    def backward(ctx, grad_output, grad_dx):
        x, dx = ctx.saved_tensors
        return grad_output * dx + grad_dx * 6 * x


x = torch.tensor([2.0, 3.0], dtype=torch.float64, requires_grad=True)
print(gradcheck(lambda x: Cube.apply(x)[0], (x,)), grad(grad(Cube.apply(x)[0].sum(), x, create_graph=True)[0].sum(), x))
y = GradientReversal.apply(x, 2.0)
print(y, type(y.grad_fn).__name__, y.sum().grad_fn.next_functions[0][0].name())

net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
net.double()
found = grad(net(x).sum(), net.parameters(), create_graph=True)
penalty = sum(g.pow(2).sum() for g in found)
hessian_vector = grad(penalty, net.parameters(), allow_unused=True)
print([tuple(g.shape) for g in found], [None if h is None else round(h.norm().item(), 4) for h in hessian_vector])


def names(fn):
    while fn is not None and "Addmm" not in fn.name():
        print(type(fn).__name__, end=" <- ")
        fn = fn.next_functions[0][0]
    print(fn.name())


h = F.relu(F.linear(torch.ones(1, 2, dtype=torch.float64), net[0].weight, net[0].bias)).pow(2)
names(F.nll_loss(F.log_softmax(h * 2 - 1, 1), torch.tensor([1])).exp().grad_fn)
print(h.sum(), h.sum(1), h.mean(), h.log_softmax(1), h[0], h.clamp(min=0.1), h @ h.T)
