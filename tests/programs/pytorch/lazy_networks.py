# Networks that read their sizes off the first batch, as a textbook builds them.
import torch
from torch import nn
from torch.nn import functional as F


def init_cnn(module):
    """Initialize weights for CNNs."""
    if type(module) == nn.Linear or type(module) == nn.Conv2d:
        nn.init.xavier_uniform_(module.weight)


class Classifier(nn.Module):
    def __init__(self, lr=0.1):
        super().__init__()
        self.lr = lr

    def forward(self, X):
        return self.net(X)

    def apply_init(self, inputs, init=None):
        self.forward(*inputs)
        if init is not None:
            self.net.apply(init)

    def loss(self, Y_hat, Y, averaged=True):
        Y_hat = Y_hat.reshape((-1, Y_hat.shape[-1]))
        Y = Y.reshape((-1,))
        return F.cross_entropy(Y_hat, Y, reduction='mean' if averaged else 'none')

    def accuracy(self, Y_hat, Y, averaged=True):
        preds = Y_hat.argmax(axis=1).type(Y.dtype)
        compare = (preds == Y.reshape(-1)).type(torch.float32)
        return compare.mean() if averaged else compare

    def layer_summary(self, X_shape):
        X = torch.randn(*X_shape)
        for layer in self.net:
            X = layer(X)
            print(layer.__class__.__name__, 'output shape:\t', X.shape)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)


def vgg_block(num_convs, out_channels):
    layers = []
    for _ in range(num_convs):
        layers.append(nn.LazyConv2d(out_channels, kernel_size=3, padding=1))
        layers.append(nn.ReLU())
    layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
    return nn.Sequential(*layers)


class LeNet(Classifier):
    def __init__(self, lr=0.1, num_classes=10):
        super().__init__(lr)
        self.net = nn.Sequential(
            nn.LazyConv2d(6, kernel_size=5, padding=2), nn.Sigmoid(), nn.AvgPool2d(kernel_size=2, stride=2),
            nn.LazyConv2d(16, kernel_size=5), nn.Sigmoid(), nn.AvgPool2d(kernel_size=2, stride=2),
            nn.Flatten(), nn.LazyLinear(120), nn.Sigmoid(), nn.LazyLinear(84), nn.Sigmoid(),
            nn.LazyLinear(num_classes))


class VGG(Classifier):
    def __init__(self, arch, lr=0.1, num_classes=10):
        super().__init__(lr)
        conv_blks = [vgg_block(*a) for a in arch]
        self.net = nn.Sequential(*conv_blks, nn.Flatten(), nn.LazyLinear(32), nn.ReLU(), nn.Dropout(0.5),
                                 nn.LazyLinear(num_classes))


class Residual(nn.Module):
    """The Residual block of ResNet models."""

    def __init__(self, num_channels, use_1x1conv=False, strides=1):
        super().__init__()
        self.conv1 = nn.LazyConv2d(num_channels, kernel_size=3, padding=1, stride=strides)
        self.conv2 = nn.LazyConv2d(num_channels, kernel_size=3, padding=1)
        if use_1x1conv:
            self.conv3 = nn.LazyConv2d(num_channels, kernel_size=1, stride=strides)
        else:
            self.conv3 = None
        self.bn1 = nn.LazyBatchNorm2d()
        self.bn2 = nn.LazyBatchNorm2d()

    def forward(self, X):
        Y = F.relu(self.bn1(self.conv1(X)))
        Y = self.bn2(self.conv2(Y))
        if self.conv3:
            X = self.conv3(X)
        Y += X
        return F.relu(Y)


class ResNet(Classifier):
    def __init__(self, lr=0.1, num_classes=10):
        super().__init__(lr)
        self.net = nn.Sequential(nn.LazyConv2d(4, kernel_size=3), nn.LazyBatchNorm2d(), nn.ReLU(),
                                 Residual(4), Residual(8, use_1x1conv=True, strides=2),
                                 nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.LazyLinear(num_classes))


torch.manual_seed(0)
X, y = torch.randn(8, 1, 28, 28), torch.arange(8) % 10
net = LeNet()
print(net)
print(net.net[0].weight, len(list(net.parameters())))
try:
    net.net[0].weight + 1
except ValueError as error:
    print(type(error).__name__)
net.apply_init([X], init_cnn)
print(net)
net.layer_summary((1, 1, 28, 28))
VGG(arch=((1, 4), (2, 8))).layer_summary((1, 1, 32, 32))

for model in (net, VGG(arch=((1, 4), (2, 8))), ResNet()):
    model.train()
    optimizer = model.configure_optimizers()
    model.apply_init([X], init_cnn)
    for step in range(4):
        loss = model.loss(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f'{type(model).__name__} {step} loss {loss.item():.4f} accuracy {model.accuracy(model(X), y):.2f}')

clone = ResNet()
print(clone.load_state_dict(model.state_dict()))
clone.eval(), model.eval()
print(torch.equal(clone(X), model(X)), type(clone.net[0]).__name__)
