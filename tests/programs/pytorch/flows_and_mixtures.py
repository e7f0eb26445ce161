# Densities: coupling layers, a base changed by transforms, mixtures, topics, and choices that gradients go through.
import torch
import torch.distributions as D
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import constraints
from torch.distributions.transforms import AffineTransform, ExpTransform, SigmoidTransform, Transform


class Coupling(nn.Module):
    def __init__(self, mask):
        super().__init__()
        self.s = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(), nn.Linear(16, 2), nn.Tanh())
        self.t = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(), nn.Linear(16, 2))
        self.register_buffer("mask", mask)

    def inverse(self, x):
        kept = x * self.mask
        s, t = self.s(kept) * (1 - self.mask), self.t(kept) * (1 - self.mask)
        return kept + (1 - self.mask) * (x - t) * torch.exp(-s), -s.sum(1)


flow = nn.ModuleList([Coupling(torch.tensor([i % 2, 1 - i % 2]).float()) for i in range(4)])
prior = D.Independent(D.Normal(torch.zeros(2), torch.ones(2)), 1)
optimizer = torch.optim.Adam(flow.parameters(), lr=1e-2)
data = torch.randn(32, 2) @ torch.tensor([[1.0, 0.5], [0.0, 0.3]]) + 1
for step in range(4):
    z, log_det = data, torch.zeros(32)
    for layer in flow:
        z, d = layer.inverse(z)
        log_det += d
    loss = -(prior.log_prob(z) + log_det).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.4f}")


class LeakyReLUTransform(Transform):
    domain = codomain = constraints.real
    bijective = True
    sign = +1

    def _call(self, x):
        return F.leaky_relu(x, 0.5)

    def _inverse(self, y):
        return F.leaky_relu(y, 2.0)

    def log_abs_det_jacobian(self, x, y):
        return torch.where(x >= 0, torch.zeros_like(x), torch.full_like(x, 0.5).log())


loc = torch.zeros(3, requires_grad=True)
log_normal = D.TransformedDistribution(D.Normal(loc, 1.0), [AffineTransform(0.5, 2.0), ExpTransform()])
value = torch.tensor([0.5, 1.0, 4.0])
log_normal.log_prob(value).sum().backward()
print(log_normal.log_prob(value).detach(), log_normal.cdf(value).detach(), loc.grad, log_normal.support)
print(D.TransformedDistribution(D.Normal(0.0, 1.0), LeakyReLUTransform()).log_prob(torch.tensor([-1.0, 1.0])))
logistic = D.TransformedDistribution(D.Uniform(0.0, 1.0), [SigmoidTransform().inv, AffineTransform(1.0, 3.0)])
print(logistic.log_prob(value), logistic.icdf(torch.tensor([0.1, 0.5])), logistic.transforms[1].inv(value))

mixture = D.MixtureSameFamily(D.Categorical(torch.tensor([0.3, 0.7])), D.Normal(torch.tensor([-1.0, 2.0]), 0.5))
print(mixture.mean, mixture.variance, mixture.log_prob(value), mixture.cdf(value))
means = torch.tensor([[0.0, 0.0], [3.0, 3.0]], requires_grad=True)
gaussians = D.MixtureSameFamily(D.Categorical(torch.ones(2)), D.Independent(D.Normal(means, torch.ones(2, 2)), 1))
(-gaussians.log_prob(data).mean()).backward()
print(means.grad, gaussians.sample((5,)).shape)

topics = D.Dirichlet(torch.tensor([0.5, 1.0, 3.0]))
share = torch.tensor([0.2, 0.3, 0.5])
print(topics.mean, topics.log_prob(share), topics.entropy(), topics.rsample((2,)).shape)
gamma = D.Gamma(torch.tensor([0.5, 2.0]), torch.tensor([1.0, 3.0]))
print(gamma, gamma.log_prob(torch.tensor([0.1, 1.0])), D.kl_divergence(gamma, D.Gamma(1.0, 1.0)))
print(D.StudentT(3.0).log_prob(value), D.Gumbel(0.0, 2.0).log_prob(value), D.Chi2(4.0).mean)

logits = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
soft = D.RelaxedOneHotCategorical(torch.tensor(0.5), logits=logits)
soft.log_prob(share).backward()
print(logits.grad, D.RelaxedBernoulli(torch.tensor(0.5), probs=torch.tensor([0.3])).log_prob(torch.tensor([0.4])))
print(soft.rsample().sum().item(), D.OneHotCategoricalStraightThrough(logits=logits).rsample().detach().round().sum())
