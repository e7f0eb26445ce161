# Distributions as losses: a network that says mean and spread, a policy, a bound with divergences.
import math

import torch
from torch import nn
from torch.distributions import (Bernoulli, Categorical, Independent, MultivariateNormal, Normal, Uniform,
                                 kl_divergence)

torch.manual_seed(0)
print(Normal(0.0, 1.0), Bernoulli(torch.tensor([0.3])), Categorical(torch.ones(3)))

# A network that says how sure it is
x = torch.linspace(-1, 1, 40).unsqueeze(1)
y = torch.sin(3 * x) + 0.1 * (1 + x) * torch.randn(40, 1)
net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for step in range(30):
    mu, log_sigma = net(x).chunk(2, dim=1)
    loss = -Normal(mu, log_sigma.exp()).log_prob(y).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(step, loss.item())

# A mixture of three
net = nn.Linear(1, 9)
logits, mu, log_sigma = net(x).chunk(3, dim=1)
parts = Normal(mu, log_sigma.exp())
log_prob = torch.logsumexp(Categorical(logits=logits).logits + parts.log_prob(y), dim=1)
(-log_prob.mean()).backward()
print(log_prob.mean().item(), net.weight.grad.norm().item())

# REINFORCE with given actions and rewards
policy = nn.Linear(4, 3)
states, actions, rewards = torch.randn(6, 4), torch.arange(6) % 3, torch.linspace(-1, 1, 6)
dist = Categorical(logits=policy(states))
loss = -(dist.log_prob(actions) * rewards).sum() - 0.01 * dist.entropy().mean()
loss.backward()
print(loss.item(), dist.probs.sum().item(), policy.bias.grad)
sample = dist.sample((100,))
print(sample.shape, sample.dtype, dist.log_prob(sample).shape, int(sample.max()) <= 2)

# The bound of a variational autoencoder
q = Independent(Normal(torch.randn(5, 2), torch.rand(5, 2) + 0.1), 1)
p = Independent(Normal(torch.zeros(5, 2), torch.ones(5, 2)), 1)
z = torch.randn(5, 2)
print(kl_divergence(q, p), q.log_prob(z), q.entropy(), q.batch_shape, q.event_shape, q.rsample((3,)).shape)
pixels = Bernoulli(logits=torch.randn(5, 8))
print(Independent(pixels, 1).log_prob((torch.rand(5, 8) > 0.5).float()), pixels.variance.mean().item())

covariance = torch.tensor([[2.0, 0.5], [0.5, 1.0]])
normal = MultivariateNormal(torch.zeros(2), covariance)
print(normal.log_prob(z), normal.entropy().item(), normal.scale_tril)
print(Uniform(0.0, 2.0).log_prob(torch.tensor(0.5)).item() == -math.log(2), Uniform(-1, 1).variance.item())
for wrong in (lambda: Normal(0.0, -1.0), lambda: Categorical(), lambda: Bernoulli(0.5).log_prob(torch.tensor(0.3))):
    try:
        wrong()
    except ValueError as error:
        print(str(error).splitlines()[0])
