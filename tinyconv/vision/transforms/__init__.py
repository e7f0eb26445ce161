"""What happens to an image on its way into the network, with torchvision's names.

**One image or a whole batch.** Every transform is called on one image, as in torchvision::

    transform(img)        # a PIL image, or a Tensor (..., C, H, W); those of geometry.py take arrays (H, W[, C]) too

A transform whose attribute ``batched`` is true can also take a stack of B images at once, which is what a data set in
memory does when the loader asks it for a batch::

    transform.batch(x)    # an array (B, H, W) or (B, H, W, C), or a Tensor (B, C, H, W)

The stack has the images' own layout behind one leading axis, and every random transform draws for each image by itself.
Images as a file holds them are NumPy arrays (usually uint8, channels last); :class:`ToTensor` makes Tensors of them
(float32, channels first). A stack of grey images (B, H, W) may be a Tensor before that too: it has no axis to mistake.
:class:`Compose` is ``batched`` if all its parts are; :class:`Lambda` is not, for nobody knows what it does to a batch.
A data set therefore says::

    if getattr(transform, "batched", False):
        images = transform.batch(images)
    else:
        images = default_collate([transform(image) for image in images])

PIL images are changed by Pillow, and the results are torchvision's bit by bit. All else is plain NumPy on the host: it
prepares data, no gradient flows through it (but through ``Normalize``). Random transforms draw from
``tinyconv.default_generator``; in a loader's workers that is a generator of the batch's own, so that their number
changes nothing (``chance.py``).
"""

from . import functional, v2
from .blur import GaussianBlur
from .color import ColorJitter, Grayscale, RandomGrayscale
from .compose import Compose, Lambda, RandomApply, RandomChoice, RandomOrder
from .convert import ConvertImageDtype, Normalize, PILToTensor, ToPILImage, ToTensor
from .erase import RandomErasing
from .geometry import CenterCrop, FiveCrop, Pad, RandomCrop, RandomHorizontalFlip, RandomVerticalFlip, TenCrop
from .resize import InterpolationMode, RandomResizedCrop, Resize
from .tone import (
    RandomAdjustSharpness,
    RandomAutocontrast,
    RandomEqualize,
    RandomInvert,
    RandomPosterize,
    RandomSolarize,
)
from .warp import ElasticTransform, RandomAffine, RandomPerspective, RandomRotation

__all__ = [
    "CenterCrop",
    "ColorJitter",
    "Compose",
    "ConvertImageDtype",
    "ElasticTransform",
    "FiveCrop",
    "GaussianBlur",
    "Grayscale",
    "InterpolationMode",
    "Lambda",
    "Normalize",
    "PILToTensor",
    "Pad",
    "RandomAdjustSharpness",
    "RandomAffine",
    "RandomApply",
    "RandomAutocontrast",
    "RandomChoice",
    "RandomCrop",
    "RandomEqualize",
    "RandomErasing",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomInvert",
    "RandomOrder",
    "RandomPerspective",
    "RandomPosterize",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomSolarize",
    "RandomVerticalFlip",
    "Resize",
    "TenCrop",
    "ToPILImage",
    "ToTensor",
    "functional",
    "v2",
]
