"""What programs on images do between their layers: metrics, augmentations in batches, losses of their own, Grad-CAM."""

import copy

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.modules.loss import _WeightedLoss
from torch.nn.modules.utils import _pair

stream = np.random.RandomState(0)


def images(*shape):
    return torch.from_numpy(stream.standard_normal(shape).astype(np.float32))


def show(name, value):
    value = value.detach().double() if isinstance(value, torch.Tensor) else torch.tensor(value, dtype=torch.float64)
    print(f"{name}: {list(value.shape)} {value.sum().item():.4f} {(value * value).mean().item():.4f}")


# Metrics.
def accuracy(output, target, topk=(1,)):
    _, pred = output.topk(max(topk), 1, True, True)
    correct = pred.t().eq(target.view(1, -1).expand_as(pred.t()))
    return [correct[:k].reshape(-1).float().sum(0, keepdim=True).mul_(100.0 / target.size(0)).item() for k in topk]


def intersection_over_union(pred, target, classes):
    known = (target >= 0) & (target < classes)
    table = torch.bincount(classes * target[known] + pred[known], minlength=classes**2).reshape(classes, classes)
    return table.diag() / (table.sum(axis=0) + table.sum(axis=1) - table.diag())


scores, labels = images(16, 10), torch.arange(16) % 10
print("accuracy", accuracy(scores, labels, topk=(1, 5)))
show("iou", intersection_over_union(scores[:, :3].argmax(axis=1), labels % 3, 3))
show("spread", scores.max(axis=1, keepdims=True).values - scores.mean(axis=1, keepdims=True))

# Augmentations.
x, order = images(4, 3, 8, 8), torch.tensor([2, 0, 3, 1])
lam = np.float64(0.3)
show("mixup", lam * x + (1 - lam) * x[order, :])
cut = x.clone()
cut[:, :, 2:5, 3:7] = cut[order, :, 2:5, 3:7]
show("cutmix", cut)
mask = np.ones(_pair(8), np.float32)
mask[2:4, 1:5] = 0.0
show("cutout", x * torch.from_numpy(mask).expand_as(x))
batch = (x * 255).clamp_(0, 255)
mean, std = (batch.new_tensor(v).view(-1, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
show("normalized", (batch.div_(255.0) - mean) / std)


# Losses.
class FocalLoss(_WeightedLoss):
    def __init__(self, gamma=2.0, **options):
        super().__init__(**options)
        self.gamma = gamma

    def forward(self, input, target):
        ce = F.cross_entropy(input, target, self.weight, reduction="none")
        return (ce * (1 - torch.exp(-ce)) ** self.gamma).mean()


def contrastive(z, temperature=0.07):
    n = z.shape[0] // 2
    z = F.normalize(z, dim=1)
    similar = torch.matmul(z, z.T)
    same = torch.cat([torch.arange(n) for _ in range(2)], dim=0)
    same = (same.unsqueeze(0) == same.unsqueeze(1)).float()
    others = ~torch.eye(2 * n, dtype=torch.bool)
    same, similar = same[others].view(2 * n, -1), similar[others].view(2 * n, -1)
    logits = torch.cat([similar[same.bool()].view(2 * n, -1), similar[~same.bool()].view(2 * n, -1)], dim=1)
    return F.cross_entropy(logits / temperature, torch.zeros(2 * n, dtype=torch.long))


def distillation(student, teacher, T=2.0):
    soft, log_p = F.softmax(teacher / T, dim=-1), F.log_softmax(student / T, dim=-1)
    return torch.sum(soft * (soft.log() - log_p)) / log_p.size()[0] * T**2


def dice(logits, target, smooth=1.0):
    p = torch.sigmoid(logits)
    both = (p * target).sum((1, 2, 3))
    return 1 - ((2.0 * both + smooth) / (p.sum((1, 2, 3)) + target.sum((1, 2, 3)) + smooth)).mean()


def variation(x):
    return (x[:, :, :, :-1] - x[:, :, :, 1:]).abs().sum() + (x[:, :, :-1, :] - x[:, :, 1:, :]).abs().sum()


for name, loss, given in [
    ("focal", lambda s: FocalLoss(weight=torch.linspace(0.5, 1.5, 10))(s, labels), images(16, 10)),
    ("contrastive", contrastive, images(8, 5)),
    ("distillation", lambda s: distillation(s, scores), images(16, 10)),
    ("dice", lambda s: dice(s, (x[:, :1] > 0).float()), images(4, 1, 8, 8)),
    ("variation", variation, images(1, 3, 6, 6)),
]:
    given.requires_grad_()
    value = loss(given)
    value.backward()
    show(name, value)
    show(f"{name}'s gradient", given.grad)

# YOLO: cells, anchors, boxes.
B, A, C, G = 2, 3, 4, 5
pred = images(B, A * (5 + C), G, G).view(B, A, 5 + C, G, G).permute(0, 1, 3, 4, 2).contiguous()
across = torch.arange(G).repeat(G, 1).view([1, 1, G, G]).type(torch.FloatTensor)
down = torch.arange(G).repeat(G, 1).t().view([1, 1, G, G]).type(torch.FloatTensor)
anchors = torch.FloatTensor([(1.0, 2.0), (3.0, 3.0), (4.0, 2.0)])
boxes = torch.FloatTensor(pred[..., :4].shape)
boxes[..., 0], boxes[..., 1] = torch.sigmoid(pred[..., 0]).data + across, torch.sigmoid(pred[..., 1]).data + down
for i in range(2):
    boxes[..., 2 + i] = torch.exp(pred[..., 2 + i].data) * anchors[:, i : i + 1].view((1, A, 1, 1))
detected = torch.cat((boxes.view(B, -1, 4) * 8, torch.sigmoid(pred[..., 4:]).view(B, -1, 1 + C)), -1)
show("detected", detected)
certain = detected[..., 4] > 0.5
print("certain", certain.sum().item(), detected[certain].shape[0], certain.nonzero().shape[1])

# A network that is looked into: hooks, Grad-CAM; a skip connection of another size; an average of weights.
net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
net.add_module("head", nn.Linear(4, 10))
for module in net.modules():
    if isinstance(module, nn.modules.conv._ConvNd):
        nn.init.normal_(module.weight, 0, 0.3)
    elif isinstance(module, nn.modules.batchnorm._BatchNorm):
        module.weight.data.fill_(1)
        module.bias.data.zero_()
seen = {}
hooks = [
    net[2].register_forward_hook(lambda module, args, output: seen.update(features=output)),
    net[2].register_full_backward_hook(lambda module, inputs, outputs: seen.update(gradient=outputs[0])),
]
out = net(x)
chosen = torch.zeros_like(out)
chosen[range(4), out.argmax(axis=1)] = 1
out.backward(gradient=chosen)
cam = F.relu((F.adaptive_avg_pool2d(seen["gradient"], 1) * seen["features"]).sum(1, keepdim=True))
cam = F.interpolate(cam, (16, 16), mode="bilinear", align_corners=False)
show("cam", (cam - cam.min()) / cam.max())
for hook in hooks:
    hook.remove()
skip, small = images(1, 2, 9, 7), images(1, 2, 8, 4)
dy, dx = skip.size()[2] - small.size()[2], skip.size()[3] - small.size()[3]
show("skip", torch.cat([skip, F.pad(small, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])], dim=1))
average, optimizer = copy.deepcopy(net), torch.optim.SGD(net.parameters(), lr=0.1)
optimizer.step()
with torch.no_grad():
    for kept, new in zip(average.parameters(), net.parameters(), strict=True):
        kept.mul_(0.9).add_(new, alpha=0.1)
show("average", torch.cat([p.flatten() for p in average.parameters()]))
head, body = list(net.head.parameters()), [p for name, p in net.named_parameters() if not name.startswith("head")]
print(torch.optim.SGD([{"params": body}, {"params": head, "lr": 0.5}], lr=0.1, momentum=0.9))
