# An autoencoder of linear layers: squeezes a picture into three numbers.
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

num_epochs = 4
batch_size = 16
learning_rate = 1e-3


class autoencoder(nn.Module):
    def __init__(self):
        super(autoencoder, self).__init__()
        self.encoder = nn.Sequential(
            nn.Linear(8 * 8, 32),
            nn.ReLU(True),
            nn.Linear(32, 12), nn.ReLU(True), nn.Linear(12, 3))
        self.decoder = nn.Sequential(
            nn.Linear(3, 12),
            nn.ReLU(True),
            nn.Linear(12, 32), nn.ReLU(True), nn.Linear(32, 8 * 8), nn.Tanh())

    def forward(self, x):
        x = self.encoder(x)
        x = self.decoder(x)
        return x


rng = np.random.RandomState(0)
pictures = np.sign(np.kron(rng.randn(64, 1, 2, 2), np.ones((1, 1, 4, 4)))).astype(np.float32)
dataloader = DataLoader(TensorDataset(torch.from_numpy(pictures)), batch_size=batch_size, shuffle=True)
model = autoencoder()
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, weight_decay=1e-5)
for epoch in range(num_epochs):
    for data in dataloader:
        img, = data
        img = img.view(img.size(0), -1)
        output = model(img)
        loss = criterion(output, img)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print('epoch [{}/{}], loss:{:.4f}'.format(epoch + 1, num_epochs, loss.data.item()))
print(sum(p.numel() for p in model.parameters() if p.requires_grad))
