# A siamese network: one embedding for three pictures, the anchor nearer to its kind than to the other.
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim import Adagrad
from torch.optim.lr_scheduler import ExponentialLR

torch.manual_seed(1)


class EmbeddingNet(nn.Module):
    def __init__(self):
        super(EmbeddingNet, self).__init__()
        self.convnet = nn.Sequential(nn.Conv2d(1, 8, 3), nn.PReLU(), nn.MaxPool2d(2, stride=2),
                                     nn.Conv2d(8, 8, 3), nn.PReLU(), nn.AvgPool2d(2, stride=2))
        self.fc = nn.Sequential(nn.Linear(8 * 2 * 2, 16), nn.PReLU(), nn.Linear(16, 2))

    def forward(self, x):
        output = self.convnet(x)
        output = output.view(output.size()[0], -1)
        output = self.fc(output)
        return F.normalize(output, p=2, dim=1)


class TripletNet(nn.Module):
    def __init__(self, embedding_net):
        super(TripletNet, self).__init__()
        self.embedding_net = embedding_net

    def forward(self, x1, x2, x3):
        return self.embedding_net(x1), self.embedding_net(x2), self.embedding_net(x3)


rng = np.random.RandomState(5)
kinds = rng.rand(2, 1, 14, 14)


def pictures(kind, count):
    return torch.from_numpy((kinds[kind] + 0.1 * rng.randn(count, 1, 14, 14)).astype('float32'))


model = TripletNet(EmbeddingNet())
criterion = nn.TripletMarginLoss(margin=1.0, p=2)
contrastive = nn.CosineEmbeddingLoss(margin=0.2)
optimizer = Adagrad(model.parameters(), lr=0.01)
scheduler = ExponentialLR(optimizer, gamma=0.9)
for epoch in range(5):
    anchor, positive, negative = pictures(0, 8), pictures(0, 8), pictures(1, 8)
    optimizer.zero_grad()
    a, p, n = model(anchor, positive, negative)
    loss = criterion(a, p, n) + 0.1 * contrastive(a, n, -torch.ones(8))
    loss.backward()
    optimizer.step()
    scheduler.step()
    print('Epoch {}: {:.5f}, distance {:.4f} / {:.4f}, lr {:.5f}'.format(
        epoch, loss.item(), F.pairwise_distance(a, p).mean().item(), F.pairwise_distance(a, n).mean().item(),
        scheduler.get_last_lr()[0]))
