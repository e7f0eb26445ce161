"""What happens to an image on its way into the network, with torchvision's names.

**One image or a whole batch.** Every transform is called on one image, as in torchvision::

    transform(img)        # a PIL image, an array (H, W) or (H, W, C), or a Tensor (..., C, H, W)

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

All of this is plain NumPy on the host: it prepares data, no gradient flows through it. Random transforms draw from
``tinyconv.default_generator``.
"""

from .compose import Compose, Lambda
from .convert import Normalize, ToTensor
from .geometry import Pad, RandomCrop

__all__ = ["Compose", "Lambda", "Normalize", "Pad", "RandomCrop", "ToTensor"]
