"""One comparison for all layers: the same state and inputs in PyTorch's module and in ours."""

import numpy as np
import pytest

import tinyconv


@pytest.fixture
def agrees_with_torch():
    """A function (ours, theirs, *inputs, **tolerances): it copies the state of ``theirs`` into ``ours``, calls both
    on the NumPy ``inputs`` and compares outputs, the gradients of inputs and parameters, and the state afterwards."""
    torch = pytest.importorskip("torch")

    def check(ours, theirs, *inputs, rtol=1e-5, atol=1e-5):
        def close(a, b, what):
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol, atol, err_msg=what)

        assert repr(ours) == repr(theirs)
        ours.load_state_dict({key: tinyconv.from_numpy(v.numpy().copy()) for key, v in theirs.state_dict().items()})
        xs = [tinyconv.from_numpy(x.copy()) for x in inputs]
        ts = [torch.from_numpy(x.copy()) for x in inputs]
        for x, t in zip(xs, ts, strict=True):
            if x.is_floating_point():
                x.requires_grad_()
                t.requires_grad_()
        y, z = ours(*xs), theirs(*ts)
        assert tuple(y.shape) == tuple(z.shape)
        close(y, z, "output")
        if y.requires_grad:
            gy = np.random.default_rng(7).normal(size=tuple(z.shape)).astype(z.detach().numpy().dtype)
            y.backward(tinyconv.from_numpy(gy.reshape(tuple(z.shape))))
            z.backward(torch.from_numpy(gy.reshape(tuple(z.shape))))
            for x, t in zip(xs, ts, strict=True):
                if t.grad is not None:
                    close(x.grad, t.grad, "gradient of the input")
            for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
                close(p.grad, q.grad, f"gradient of {name}")
        assert list(ours.state_dict()) == list(theirs.state_dict())
        for (key, value), other in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
            close(value, other, key)

    return check
