"""Images: data sets, transforms and models, with torchvision's names."""
