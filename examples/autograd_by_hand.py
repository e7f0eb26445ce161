"""What backward() does, step by step: the graph, the order, and why gradients add up at forks.

Run it: python examples/autograd_by_hand.py
"""

import tinyconv

# ------------------------------------------------------------------------------------------------------------------
# 1. The graph. Every operation leaves a node that points to the nodes of its inputs.

x = tinyconv.tensor(0.5, requires_grad=True)
a = x * 3  # used twice from here on: a fork
b = a.exp()
c = a * b
print(f"x = {x.item()}, a = 3x = {a.item()}, b = exp(a) = {b.item():.4f}, c = a*b = {c.item():.4f}")


def show(node, depth=0):
    print("  " * depth + node.name())
    for parent, _ in node.next_functions:
        if parent is not None:
            show(parent, depth + 1)


print("\nThe graph of c, from the result down to the leaf; a's node appears twice, for a is used twice:")
show(c.grad_fn)

# ------------------------------------------------------------------------------------------------------------------
# 2. By hand. Start with dc/dc = 1 and go against the arrows. g_y means dc/dy.
#
#    c = a*b        a gets g_c * b,  b gets g_c * a
#    b = exp(a)     a gets g_b * exp(a)
#    a = 3*x        x gets g_a * 3
#
# a gets two contributions, one for each way in which it changes c, and the chain rule of several variables says: add.

g_c = 1.0
g_a = g_c * b.item()
g_b = g_c * a.item()
print(f"\nfrom c = a*b:     g_a = {g_a:.4f} so far, g_b = {g_b:.4f}")
g_a += g_b * b.item()
print(f"from b = exp(a):  g_a = {g_a:.4f}, both contributions")
g_x = g_a * 3
print(f"from a = 3x:      g_x = {g_x:.4f}")

# The order matters: a's node may only run when both contributions have come. Nodes are numbered as they are made, so
# "the largest number first" is such an order.

c.backward()
print(f"backward() says   g_x = {x.grad.item():.4f}")
assert abs(x.grad.item() - g_x) < 1e-3 * abs(g_x)

# ------------------------------------------------------------------------------------------------------------------
# 3. Three more forks.

x = tinyconv.tensor(5.0, requires_grad=True)
(x + x).backward()
print(f"\nd(x + x)/dx = {x.grad.item():.0f}: the same tensor twice in one operation")
assert x.grad.item() == 2

x = tinyconv.tensor(5.0, requires_grad=True)
left, right = x * 2, x * 3
(left * right).backward()
print(f"d(2x * 3x)/dx at 5 = {x.grad.item():.0f}: a diamond, 12x")
assert x.grad.item() == 60

x = tinyconv.tensor(5.0, requires_grad=True)
(x * 2).backward()
(x * 2).backward()
print(f"two backward() calls: {x.grad.item():.0f}; .grad adds up until you clear it (optimizer.zero_grad())")
assert x.grad.item() == 4

# ------------------------------------------------------------------------------------------------------------------
# 4. A backward pass is itself made of operations, so it can be recorded and differentiated again.

x = tinyconv.tensor(2.0, requires_grad=True)
(dy,) = tinyconv.autograd.grad(x**3, x, create_graph=True)
(ddy,) = tinyconv.autograd.grad(dy, x)
print(f"\ny = x**3 at 2:  y' = {dy.item():.0f},  y'' = {ddy.item():.0f}")
assert (dy.item(), ddy.item()) == (12, 12)

# ------------------------------------------------------------------------------------------------------------------
# 5. An operation of your own: say what it computes and what its gradient is.


class Square(tinyconv.autograd.Function):
    """y = x**2, gx = gy * 2x."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gy):
        (x,) = ctx.saved_tensors
        return gy * 2 * x


x = tinyconv.tensor([1.0, 2.0, 3.0], requires_grad=True)
Square.apply(x).sum().backward()
print(f"\nSquare: gradient at [1, 2, 3] is {x.grad.tolist()}")
assert x.grad.tolist() == [2, 4, 6]
