# A dataset of one's own: samples that are dicts, transforms that are classes, a loader that makes batches.
import numpy as np
import torch
from torch.utils.data import Dataset, DataLoader, random_split


class FaceLandmarksDataset(Dataset):
    """Images and the places of landmarks in them."""

    def __init__(self, count, transform=None):
        rng = np.random.RandomState(3)
        self.images = rng.rand(count, 12, 10, 3)
        self.landmarks = rng.rand(count, 4, 2) * [10, 12]
        self.transform = transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, idx):
        if torch.is_tensor(idx):
            idx = idx.tolist()
        sample = {'image': self.images[idx], 'landmarks': self.landmarks[idx].astype('float').reshape(-1, 2)}
        if self.transform:
            sample = self.transform(sample)
        return sample


class Compose(object):
    def __init__(self, transforms):
        self.transforms = transforms

    def __call__(self, sample):
        for t in self.transforms:
            sample = t(sample)
        return sample


class CenterCrop(object):
    """Crop the image in a sample."""

    def __init__(self, output_size):
        assert isinstance(output_size, (int, tuple))
        self.output_size = (output_size, output_size) if isinstance(output_size, int) else output_size

    def __call__(self, sample):
        image, landmarks = sample['image'], sample['landmarks']
        h, w = image.shape[:2]
        new_h, new_w = self.output_size
        top, left = (h - new_h) // 2, (w - new_w) // 2
        image = image[top: top + new_h, left: left + new_w]
        landmarks = landmarks - [left, top]
        return {'image': image, 'landmarks': landmarks}


class ToTensor(object):
    """Convert ndarrays in sample to Tensors."""

    def __call__(self, sample):
        image, landmarks = sample['image'], sample['landmarks']
        image = image.transpose((2, 0, 1))
        return {'image': torch.from_numpy(image), 'landmarks': torch.from_numpy(landmarks)}


transformed_dataset = FaceLandmarksDataset(10, transform=Compose([CenterCrop(8), ToTensor()]))
for i, sample in enumerate(transformed_dataset):
    print(i, sample['image'].size(), sample['landmarks'].size())
    if i == 3:
        break

dataloader = DataLoader(transformed_dataset, batch_size=4, shuffle=True, num_workers=0)
for i_batch, sample_batched in enumerate(dataloader):
    print(i_batch, sample_batched['image'].size(), sample_batched['landmarks'].size(), sample_batched['image'].dtype)

train, val = random_split(transformed_dataset, [7, 3])
print(len(train), len(val), len(DataLoader(train, batch_size=2, drop_last=True)))
batch = next(iter(DataLoader(val, batch_size=3, collate_fn=lambda samples: torch.stack([s['landmarks'] for s in samples]))))
print(batch.shape, '%.4f' % batch.mean().item())
mean = torch.zeros(3, dtype=torch.double)
for sample in dataloader:
    mean += sample['image'].mean(dim=(2, 3)).sum(0)
print(mean / len(transformed_dataset))
