# What is done to weights besides training them: prune, parametrize, normalize, average, checkpoint, fuse.
import torch
import torch.nn as nn
import torch.nn.utils.parametrize as parametrize
import torch.nn.utils.prune as prune
from torch.func import functional_call, grad
from torch.nn.utils.parametrizations import spectral_norm, weight_norm
from torch.optim.swa_utils import SWALR, AveragedModel, get_ema_multi_avg_fn, update_bn
from torch.testing import assert_close
from torch.utils.checkpoint import checkpoint, checkpoint_sequential

torch.manual_seed(0)


class LeNet(nn.Module):
    def __init__(self):
        super(LeNet, self).__init__()
        self.conv1 = nn.Conv2d(1, 3, 3)
        self.conv2 = nn.Conv2d(3, 4, 3)
        self.fc1 = nn.Linear(4 * 4 * 4, 10)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.conv1(x)), (2, 2))
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        return self.fc1(x.flatten(start_dim=1))


# ---- pruning
model = LeNet()
module = model.conv1
print([name for name, _ in module.named_parameters()], list(module.named_buffers()))
prune.l1_unstructured(module, name="weight", amount=0.3)
print([name for name, _ in module.named_parameters()], list(module.named_buffers()))
print(module.weight)
prune.l1_unstructured(module, name="bias", amount=1)
prune.ln_structured(module, name="weight", amount=1, n=2, dim=0)
for hook in module._forward_pre_hooks.values():
    if hook._tensor_name == "weight":  # select out the correct hook
        break
print([type(h).__name__ for h in hook], len(module._forward_pre_hooks))
print(model.state_dict().keys())
prune.remove(module, 'weight')
print([name for name, _ in module.named_parameters()], (module.weight == 0).sum().item())

model = LeNet()
parameters_to_prune = ((model.conv1, 'weight'), (model.conv2, 'weight'), (model.fc1, 'weight'))
prune.global_unstructured(parameters_to_prune, pruning_method=prune.L1Unstructured, amount=0.2)
for owner, name in parameters_to_prune:
    weight = getattr(owner, name)
    print("Sparsity: {:.2f}%".format(100. * float(torch.sum(weight == 0)) / float(weight.nelement())))


class FooBarPruningMethod(prune.BasePruningMethod):
    """Prune every other entry in a tensor"""
    PRUNING_TYPE = 'unstructured'

    def compute_mask(self, t, default_mask):
        mask = default_mask.clone()
        mask.view(-1)[::2] = 0
        return mask


FooBarPruningMethod.apply(model.fc1, 'bias')
print(model.fc1.bias_mask)
x = torch.randn(4, 1, 22, 22)
model(x).pow(2).mean().backward()
print(model.conv1.weight_orig.grad.abs().sum().item(), prune.is_pruned(model))


# ---- parametrizations
class Symmetric(nn.Module):
    def forward(self, X):
        return X.triu() + X.triu(1).transpose(-1, -2)


class Skew(nn.Module):
    def forward(self, X):
        A = X.triu(1)
        return A - A.transpose(-1, -2)

    def right_inverse(self, A):
        return A.triu(1)


layer = nn.Linear(3, 3)
print(f"Unparametrized:\n{layer}")
parametrize.register_parametrization(layer, "weight", Symmetric())
print(f"\nParametrized:\n{layer}")
print(layer.parametrizations)
print(layer.parametrizations.weight[0], dict(layer.named_parameters()).keys())
assert torch.allclose(layer.weight, layer.weight.T)
with parametrize.cached():
    print(layer.weight is layer.weight)
parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
print(layer, layer.weight)
layer = parametrize.register_parametrization(nn.Linear(3, 3), "weight", Skew())
X = torch.rand(3, 3)
X = X - X.T
layer.weight = X
print(torch.dist(layer.weight, X).item())

gan = nn.Sequential(weight_norm(nn.Linear(4, 5)), nn.ReLU(), spectral_norm(nn.Linear(5, 1)))
print(gan)
optimizer = torch.optim.SGD(gan.parameters(), lr=0.1)
for step in range(3):
    loss = gan(torch.randn(6, 4)).pow(2).mean() - gan(torch.randn(6, 4)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())

# ---- averages
model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1))
data = [(torch.randn(5, 4), torch.randn(5, 1)) for _ in range(3)]
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=6)
swa_scheduler = SWALR(optimizer, swa_lr=0.05, anneal_epochs=3)
swa, ema = AveragedModel(model), AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
for epoch in range(6):
    for inputs, target in data:
        optimizer.zero_grad()
        nn.functional.mse_loss(model(inputs), target).backward()
        optimizer.step()
        ema.update_parameters(model)
    if epoch > 2:
        swa.update_parameters(model)
        swa_scheduler.step()
    else:
        scheduler.step()
    print(epoch, optimizer.param_groups[0]["lr"])
update_bn(data, swa)
for averaged in (swa, ema):
    averaged.eval()
    print(averaged.n_averaged, averaged(data[0][0]).squeeze().detach())

# ---- again instead of remembered
plain = model(data[0][0])
assert_close(checkpoint(model, data[0][0], use_reentrant=False), plain)
assert_close(checkpoint_sequential(model, 2, data[0][0], use_reentrant=False), plain)
try:
    assert_close(plain, plain + 1)
except AssertionError as error:
    print(str(error).splitlines()[0])
fused = torch.nn.utils.fusion.fuse_linear_bn_eval(model[0].eval(), model[1].eval())
assert_close(fused(data[0][0]), model[1](model[0](data[0][0])), rtol=1e-4, atol=1e-5)

# ---- a step within a step
weights = {name: p.detach() for name, p in model.named_parameters()}


def loss_of(weights, inputs, target):
    return nn.functional.mse_loss(functional_call(model, weights, (inputs,)), target)


def loss_after_a_step(weights):
    slopes = grad(loss_of)(weights, *data[0])
    return loss_of({name: w - 0.1 * slopes[name] for name, w in weights.items()}, *data[1])


for name, slope in grad(loss_after_a_step)(weights).items():
    print(name, slope.norm().item())
