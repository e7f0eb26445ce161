"""LeNet-5 on MNIST, written out in full, the PyTorch way.

Run it: python examples/lenet5_mnist.py [--epochs 10]

With the lines marked below changed to `import torch`, ... it is a PyTorch program, and computes the same. Without MNIST
and without a network it trains on StrokeDigits, which tinyconv draws itself.
"""

import argparse

# For PyTorch: import torch; from torch import nn, optim; import torch.nn.functional as F;
# from torch.utils.data import DataLoader, Subset; from torchvision import datasets, transforms
import tinyconv as torch
import tinyconv.nn.functional as F
from tinyconv import nn, optim
from tinyconv.utils.data import DataLoader, Subset
from tinyconv.vision import datasets, transforms


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def load(train, transform):
    try:
        return datasets.MNIST("data", train=train, download=True, transform=transform)
    except RuntimeError as error:
        if not hasattr(datasets, "StrokeDigits"):
            raise
        if train:
            print(f"{error}\nTraining on StrokeDigits instead.")
        return datasets.StrokeDigits(train=train, transform=transform)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--limit", type=int, help="use the first so many images only")
    args = parser.parse_args()

    torch.manual_seed(0)
    to_tensor = [transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]
    train_set = load(True, transforms.Compose([transforms.RandomCrop(28, padding=2), *to_tensor]))
    test_set = load(False, transforms.Compose(to_tensor))
    if args.limit:
        train_set, test_set = (Subset(part, range(min(args.limit, len(part)))) for part in (train_set, test_set))
    train_loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=1000)

    model = LeNet5()
    optimizer = optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, weight_decay=5e-4)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs * len(train_loader))

    for epoch in range(args.epochs):
        model.train()
        for step, (x, y) in enumerate(train_loader):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            scheduler.step()
            if step % 100 == 0:
                print(f"epoch {epoch + 1}, step {step} of {len(train_loader)}: loss {loss.item():.4f}")

        model.eval()
        right = 0
        with torch.no_grad():
            for x, y in test_loader:
                right += (model(x).argmax(dim=1) == y).sum().item()
        print(f"epoch {epoch + 1}: test accuracy {right / len(test_set):.2%}")


if __name__ == "__main__":
    main()
