# Derivatives of derivatives: an inner step of learning, a differential equation, gradients of each example.
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd import grad
from torch.func import functional_call, grad as gradient_of, jacrev, vmap

# learning to learn: the loss after a step of gradient descent, differentiated by the weights before it
model = nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for iteration in range(5):
    total = 0
    for task in range(3):
        phase = math.pi * torch.rand(1)
        x = torch.rand(10, 1) * 10 - 5
        weights = dict(model.named_parameters())
        loss = F.mse_loss(model(x), torch.sin(x + phase))
        slopes = grad(loss, list(weights.values()), create_graph=True)
        stepped = {name: w - 0.01 * g for (name, w), g in zip(weights.items(), slopes)}
        x = torch.rand(10, 1) * 10 - 5
        total = total + F.mse_loss(functional_call(model, stepped, (x,)), torch.sin(x + phase))
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
    print(f"iteration {iteration}: {total.item():.4f}")

# u'' + u = 0 with u(0) = 0 and u'(0) = 1: the network's second derivative is in the loss
net = nn.Sequential(nn.Linear(1, 12), nn.Tanh(), nn.Linear(12, 12), nn.Tanh(), nn.Linear(12, 1))
t = torch.linspace(0, 3, 31).view(-1, 1).requires_grad_(True)
lbfgs = torch.optim.LBFGS(net.parameters(), max_iter=5, line_search_fn="strong_wolfe")


def closure():
    lbfgs.zero_grad()
    u = net(t)
    du = grad(u, t, torch.ones_like(u), create_graph=True)[0]
    ddu = grad(du, t, torch.ones_like(du), create_graph=True)[0]
    loss = ((ddu + u) ** 2).mean() + u[0, 0] ** 2 + (du[0, 0] - 1) ** 2
    loss.backward()
    return loss


for step in range(2):
    print(f"step {step}: {lbfgs.step(closure).item():.4f}")

# the gradient of each example by itself, in one call and by a loop
x, y = torch.randn(4, 1), torch.randn(4, 1)
weights = {name: w.detach() for name, w in model.named_parameters()}


def loss_of(weights, x, y):
    return F.mse_loss(functional_call(model, weights, (x.unsqueeze(0),)), y.unsqueeze(0))


each = vmap(gradient_of(loss_of), in_dims=(None, 0, 0))(weights, x, y)
for i in range(4):
    one = grad(F.mse_loss(model(x[i : i + 1]), y[i : i + 1]), list(model.parameters()))
    assert all(torch.allclose(a[i], b, atol=1e-6) for a, b in zip(each.values(), one))
print({name: tuple(g.shape) for name, g in each.items()})
print(jacrev(lambda x: torch.sin(x) * x.sum())(torch.arange(3.0)))

# what a node shows of itself, and how it keeps what it needs
x = torch.tensor([0.5, 1.0], requires_grad=True)
with torch.autograd.graph.saved_tensors_hooks(lambda t: t.numpy().copy(), lambda kept: torch.from_numpy(kept)):
    y = (x.exp() * x).mean()
print(y, x.sin(), x[0], x.shape[1:].numel())
y.backward()
print(x.grad)
