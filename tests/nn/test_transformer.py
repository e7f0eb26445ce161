"""Transformers: their layers against what they are made of and against PyTorch, and a small one for pictures trains."""

import numpy as np
import pytest

import tinyconv
import tinyconv.nn.functional as F
from tinyconv import nn
from tinyconv.vision.datasets import strokes

RNG = np.random.default_rng(0)
SRC, TGT = RNG.normal(size=(2, 5, 8)), RNG.normal(size=(2, 3, 8))
PADDING = np.array([[False] * 5, [False, False, False, True, True]])


def filled(library, made):
    """The same numbers in either library."""
    rng = np.random.default_rng(1)
    numbers = {k: library.tensor(rng.normal(0, 0.4, tuple(v.shape))) for k, v in made.state_dict().items()}
    made.double().load_state_dict(numbers)
    return made


@pytest.mark.parametrize("norm_first", [True, False])
def test_a_layer_is_what_it_is_made_of(norm_first):
    made = filled(tinyconv, nn.TransformerEncoderLayer(8, 2, 6, 0.0, "gelu", batch_first=True, norm_first=norm_first))
    x = tinyconv.from_numpy(SRC)

    def attend(x):
        return made.self_attn(x, x, x)[0]

    def look(x):
        return made.linear2(F.gelu(made.linear1(x)))

    if norm_first:
        x1 = x + attend(made.norm1(x))
        expected = x1 + look(made.norm2(x1))
    else:
        x1 = made.norm1(x + attend(x))
        expected = made.norm2(x1 + look(x1))
    np.testing.assert_allclose(made(x).detach().numpy(), expected.detach().numpy())


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_as_pytorch(norm_first, bias):
    torch = pytest.importorskip("torch")
    found = []
    for library in (tinyconv, torch):
        made = library.nn.Transformer(8, 2, 2, 2, 6, 0.0, norm_first=norm_first, bias=bias, batch_first=True)
        made = filled(library, made)
        src, tgt, padding = (library.tensor(x) for x in (SRC, TGT, PADDING))
        mask = made.generate_square_subsequent_mask(3, dtype=library.float64)
        y = made(src.requires_grad_(), tgt, tgt_mask=mask, tgt_is_causal=True, src_key_padding_mask=padding,
                 memory_key_padding_mask=padding)  # fmt: skip
        (y**2).sum().backward()
        found.append([list(made.state_dict()), [y.detach().numpy(), src.grad.numpy(),
                      *[p.grad.numpy() for p in made.parameters()]]])  # fmt: skip
    assert found[0][0] == found[1][0]
    for ours, theirs in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-11)


def test_what_comes_later_and_what_is_padding_does_not_matter():
    made = filled(tinyconv, nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 6, batch_first=True), 2)).eval()
    causal = nn.Transformer.generate_square_subsequent_mask(5, dtype=tinyconv.float64)
    x, other, padding = tinyconv.tensor(SRC), tinyconv.tensor(SRC), tinyconv.tensor(PADDING)
    other[:, 3:] = 7.0
    a, b = (made(t, mask=causal)[:, :3].detach().numpy() for t in (x, other))
    np.testing.assert_array_equal(a, b)
    a, b = (made(t, src_key_padding_mask=padding)[1, :3].detach().numpy() for t in (x, other))
    np.testing.assert_array_equal(a, b)


def test_copies_are_apart_and_activations_are_checked():
    stack = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 6, activation=nn.SiLU()), 2, nn.LayerNorm(8))
    first, second = stack.layers
    assert first.linear1.weight is not second.linear1.weight
    assert (first.linear1.weight == second.linear1.weight).all()
    with pytest.raises(RuntimeError, match='activation must be "relu", "gelu" or a function'):
        nn.TransformerEncoderLayer(8, 2, activation="tanh")
    with pytest.raises(RuntimeError, match="src has 2 sequences, tgt 1"):
        nn.Transformer(8, 2, 1, 1, 6, batch_first=True)(tinyconv.ones(2, 5, 8), tinyconv.ones(1, 3, 8))


class VisionTransformer(nn.Module):
    """Dosovitskiy et al., "An image is worth 16x16 words", 2021, for pictures of 28 x 28 pixels and patches of 7."""

    def __init__(self, width=32):
        super().__init__()
        self.patches = nn.Conv2d(1, width, 7, 7)
        self.token = nn.Parameter(tinyconv.zeros(1, 1, width))
        self.places = nn.Parameter(tinyconv.randn(1, 17, width) * 0.02)
        layer = nn.TransformerEncoderLayer(width, 4, 64, 0.0, "gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(width))
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = tinyconv.cat([self.token.expand(len(x), -1, -1), x], 1) + self.places
        return self.head(self.encoder(x)[:, 0])


def test_a_small_vision_transformer_trains():
    tinyconv.manual_seed(0)
    images, labels = strokes.draw_digits(128)
    x, t = tinyconv.tensor(images).unsqueeze(1) / 255, tinyconv.tensor(labels).long()
    model = VisionTransformer()
    optimizer = tinyconv.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), t)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 2 and losses[-1] < 0.6
    assert (model(x).argmax(1) == t).float().mean().item() > 0.8
