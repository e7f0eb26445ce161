# MAML, per-sample gradients, ensembles, elastic weights and calibration with torch.func and torch.autograd.grad.
import copy
import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import (functional_call, grad, grad_and_value, hessian, jacrev, jvp, stack_module_state, vjp, vmap)


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 3, 3), nn.Linear(3 * 16, 4)

    def forward(self, x):
        return F.log_softmax(self.fc(torch.flatten(F.relu(self.conv(x)), 1)), dim=1)


model = CNN()
data, targets = torch.randn(6, 1, 6, 6), torch.arange(6) % 4
params = {k: v.detach() for k, v in model.named_parameters()}
buffers = {k: v.detach() for k, v in model.named_buffers()}


def compute_loss(params, buffers, sample, target):
    prediction = functional_call(model, (params, buffers), (sample.unsqueeze(0),))
    return F.nll_loss(prediction, target.unsqueeze(0)), prediction.max()


per_sample, peaks = vmap(grad(compute_loss, has_aux=True), in_dims=(None, None, 0, 0))(params, buffers, data, targets)
print({k: tuple(v.shape) for k, v in per_sample.items()}, peaks.requires_grad)
for i in range(6):
    loss = F.nll_loss(model(data[i : i + 1]), targets[i : i + 1])
    for ours, name in zip(torch.autograd.grad(loss, model.parameters()), params):
        assert torch.allclose(per_sample[name][i], ours, atol=1e-5)

models = [CNN() for _ in range(3)]
stacked, stacked_buffers = stack_module_state(models)
base = copy.deepcopy(models[0])
votes = vmap(lambda p, b, x: functional_call(base, (p, b), (x,)), in_dims=(0, 0, None))(stacked, stacked_buffers, data)
print(votes.shape, torch.allclose(votes[1], models[1](data), atol=1e-5))
mean = votes.exp().mean(0).detach()
print("entropy", -(mean * mean.log()).sum(1).mean())

W, b, x = torch.randn(3, 4), torch.randn(3), torch.randn(4)


def predict(W, b, x):
    return F.linear(x, W, b).tanh()


print(jacrev(predict, argnums=2)(W, b, x).shape, hessian(lambda x: predict(W, b, x).sum())(x).diag())
output, pullback = vjp(partial(predict, W, b), x)
print(pullback(torch.ones(3))[0], jvp(partial(predict, W, b), (x,), (torch.ones(4),))[1])
gradient, (value, aux) = grad_and_value(lambda x: ((x**2).sum(), x.mean()), has_aux=True)(x)
print(gradient, value, aux)

net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
weights = dict(net.named_parameters())
meta_optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for iteration in range(4):
    meta_loss = 0.0
    for task in range(3):
        amplitude, phase = torch.rand(1) * 4 + 0.1, torch.rand(1) * math.pi
        xs = torch.rand(10, 1) * 10 - 5
        ys, fast = amplitude * torch.sin(xs + phase), weights
        for _ in range(2):
            inner = F.mse_loss(functional_call(net, fast, xs[:5]), ys[:5])
            grads = torch.autograd.grad(inner, fast.values(), create_graph=True)
            fast = {k: w - 0.01 * g for (k, w), g in zip(fast.items(), grads)}
        meta_loss = meta_loss + F.mse_loss(functional_call(net, fast, (xs[5:],)), ys[5:])
    meta_optimizer.zero_grad()
    meta_loss.backward()
    meta_optimizer.step()
    print(f"{meta_loss.item() / 3:.4f}")

fisher = {n: torch.zeros_like(p) for n, p in net.named_parameters()}
for i in range(3):
    net.zero_grad()
    net(torch.randn(1, 1)).pow(2).sum().backward()
    for n, p in net.named_parameters():
        fisher[n] += p.grad.detach() ** 2 / 3
old = {n: p.clone().detach() for n, p in net.named_parameters()}
print("elastic", sum((fisher[n] * (p - old[n] + 0.1) ** 2).sum() for n, p in net.named_parameters()).item())
loss = net(torch.randn(8, 1)).pow(2).mean()
grads = torch.autograd.grad(loss, net.parameters(), create_graph=True)
products = torch.autograd.grad(grads, net.parameters(), grad_outputs=[torch.ones_like(g) for g in grads])
print("Hv", torch.cat([h.flatten() for h in products]).norm().item())
