"""The 6x6 convolution of the lecture slides, three times: by hand, by tinyconv, and its gradient by finite differences.

Run it: python examples/slide_6x6.py     (`tinyconv slide` shows the same one window at a time)
"""

import numpy as np

import tinyconv
import tinyconv.nn.functional as F

image = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.2, 0.8, 0.0, 0.3, 0.6, 0.0],
        [0.2, 0.9, 0.0, 0.3, 0.8, 0.0],
        [0.3, 0.8, 0.7, 0.8, 0.9, 0.0],
        [0.0, 0.0, 0.0, 0.2, 0.8, 0.0],
        [0.0, 0.0, 0.0, 0.2, 0.2, 0.0],
    ]
)
kernel = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])

# 1. By hand: lay the kernel on each 3x3 window, multiply, add up.
by_hand = np.zeros((4, 4))
for i in range(4):
    for j in range(4):
        by_hand[i, j] = (image[i : i + 3, j : j + 3] * kernel).sum()

# 2. By tinyconv. A convolution takes many images of many channels, (N, C, H, W), and makes many channels of them with
#    as many kernels, (O, C, KH, KW). Here all of these numbers are 1.
x = tinyconv.tensor(image).reshape(1, 1, 6, 6)
w = tinyconv.tensor(kernel).reshape(1, 1, 3, 3).requires_grad_()
y = F.conv2d(x, w)
print("image * kernel =")
print(y[0, 0].detach().numpy().round(1))
assert np.allclose(y[0, 0].detach().numpy(), by_hand)

print()
print("The published slide has 1.9 at the start of the second row. It is")
print("  0.2*1 + 0.8*0 + 0*1 + 0.2*0 + 0.9*1 + 0*0 + 0.3*1 + 0.8*0 + 0.7*1 = 2.1")

# 3. How does the sum of the result change with each number of the kernel? Backwards, all nine at once, ...
y.sum().backward()
print()
print("d(sum of the result) / d(kernel) =")
print(w.grad[0, 0].numpy().round(3))


# ... and one by one, by trying: move a number a little to each side, and look.
def total(kernel):
    return sum((image[i : i + 3, j : j + 3] * kernel).sum() for i in range(4) for j in range(4))


step = 1e-6
for m in range(3):
    for n in range(3):
        nudge = np.zeros((3, 3))
        nudge[m, n] = step
        slope = (total(kernel + nudge) - total(kernel - nudge)) / (2 * step)
        assert abs(slope - w.grad[0, 0, m, n].item()) < 1e-6
print("Finite differences agree.")

# 4. Pooling keeps one number of each 2x2 window.
small = tinyconv.tensor([[0.2, 0.8, 0.3, 0.6], [0.2, 0.9, 0.3, 0.8], [0.3, 0.8, 0.8, 0.9], [0.0, 0.0, 0.2, 0.8]])
small = small.reshape(1, 1, 4, 4)
print()
for name, pooled in (
    ("maximum", F.max_pool2d(small, 2)),
    ("sum", F.avg_pool2d(small, 2, divisor_override=1)),
    ("average", F.avg_pool2d(small, 2)),
):
    print(f"{name}:")
    print(pooled[0, 0].numpy().round(3))
