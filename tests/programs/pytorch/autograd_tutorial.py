# Gradients: of one parameter's step, of a vector, of what is frozen.
import torch
from torch import nn, optim
from torch.autograd import Variable

x = torch.ones(5)
y = torch.zeros(3)
w = torch.randn(5, 3, requires_grad=True)
b = torch.randn(3, requires_grad=True)
z = torch.matmul(x, w) + b
loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y)
print("Gradient function for z = %s" % (z.grad_fn is not None))
loss.backward()
print(w.grad)
print(b.grad)

z = torch.matmul(x, w) + b
print(z.requires_grad)
with torch.no_grad():
    z = torch.matmul(x, w) + b
print(z.requires_grad, z.detach().requires_grad)

inp = torch.eye(4, 5, requires_grad=True)
out = (inp + 1).pow(2).t()
out.backward(torch.ones_like(out), retain_graph=True)
print(f"First call\n{inp.grad}")
out.backward(torch.ones_like(out), retain_graph=True)
print(f"\nSecond call\n{inp.grad}")
inp.grad.zero_()
out.backward(torch.ones_like(out), retain_graph=True)
print(f"\nCall after zeroing gradients\n{inp.grad}")

a = torch.tensor([2., 3.], requires_grad=True)
b = torch.tensor([6., 4.], requires_grad=True)
Q = 3 * a ** 3 - b ** 2
external_grad = torch.tensor([1., 1.])
Q.backward(gradient=external_grad)
print(9 * a ** 2 == a.grad)
print(-2 * b == b.grad)

old = Variable(torch.ones(2, 2), requires_grad=True)
out = (3 * (old + 2) * (old + 2)).mean()
out.backward()
print(old.grad, out.data.item())

x = torch.tensor(1.5, requires_grad=True)
y = x ** 3
dx, = torch.autograd.grad(y, x, create_graph=True)
ddx, = torch.autograd.grad(dx, x)
print(dx.item(), ddx.item())

h = x * 2
h.register_hook(lambda g: print("hook", g))
h.retain_grad()
(h * h).backward()
print(h.grad, x.grad)

model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
for param in model[0].parameters():
    param.requires_grad = False
optimizer = optim.SGD(filter(lambda p: p.requires_grad, model.parameters()), lr=1e-2, momentum=0.9)
prediction = model(torch.rand(1, 4))
loss = (prediction - 1).sum()
loss.backward()
optimizer.step()
print([p.grad is None for p in model.parameters()], loss.item())
try:
    loss.backward()
except RuntimeError:
    print("a graph is freed after backward")
