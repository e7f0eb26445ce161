# A convolutional autoencoder that removes noise: pooling down, transposed convolutions and upsampling back.
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class ConvAutoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(2, 2)
        self.t_conv1 = nn.ConvTranspose2d(4, 8, 2, stride=2)
        self.t_conv2 = nn.ConvTranspose2d(8, 1, 2, stride=2)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = F.relu(self.t_conv1(x))
        return torch.sigmoid(self.t_conv2(x))


class UpsamplingAutoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.LeakyReLU(0.2))
        self.decoder = nn.Sequential(
            nn.Upsample(scale_factor=2, mode='bilinear', align_corners=False),
            nn.Conv2d(8, 1, 3, padding=1, padding_mode='reflect'),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


images = torch.from_numpy(np.kron(np.random.RandomState(0).rand(24, 1, 4, 4), np.ones((1, 1, 4, 4))).astype('float32'))
for model in (ConvAutoencoder(), UpsamplingAutoencoder()):
    print(model)
    criterion = nn.BCELoss() if isinstance(model, ConvAutoencoder) else nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for epoch in range(3):
        train_loss = 0.0
        for batch in torch.split(images, 8):
            noisy = torch.clamp(batch + 0.3 * torch.randn(*batch.shape), 0., 1.)
            optimizer.zero_grad()
            loss = criterion(model(noisy), batch)
            loss.backward()
            optimizer.step()
            train_loss += loss.item() * batch.size(0)
        print('Epoch: {} \tTraining Loss: {:.6f}'.format(epoch, train_loss / len(images)))
