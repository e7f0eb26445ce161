"""Rotation, affine and perspective maps, elastic deformation: Pillow's results on PIL images, SciPy's on Tensors."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import tinyconv
from tinyconv.tensor import wrap
from tinyconv.vision.transforms import (
    ElasticTransform,
    InterpolationMode,
    RandomAffine,
    RandomPerspective,
    RandomRotation,
)
from tinyconv.vision.transforms import functional as F

NEAREST, BILINEAR = InterpolationMode.NEAREST, InterpolationMode.BILINEAR
BOTH = pytest.mark.parametrize("mode", [NEAREST, BILINEAR])


def numbers(*shape):
    return np.random.default_rng(0).random(shape)


def photo(width, height, mode="RGB"):
    x = np.random.default_rng(0).integers(0, 256, (height, width, 3))
    return Image.fromarray(x.astype(np.uint8)).convert(mode)


def forward(angle, translate, scale, shear, center):
    """The affine map of pixel coordinates (x, y, 1), as a product of matrices."""
    t, (sx, sy) = np.radians(angle), np.radians(shear)

    def move(x, y):
        return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])

    turn = np.array([[np.cos(t), -np.sin(t), 0], [np.sin(t), np.cos(t), 0], [0, 0, 1]])
    along_y = np.array([[1, 0, 0], [-np.tan(sy), 1, 0], [0, 0, 1]])
    along_x = np.array([[1, -np.tan(sx), 0], [0, 1, 0], [0, 0, 1]])
    return (
        move(*translate) @ move(*center) @ turn @ np.diag([scale, scale, 1]) @ along_y @ along_x
        @ move(-center[0], -center[1])
    )  # fmt: skip


def by_scipy(x, matrix, mode, shape=None):
    """x (C, H, W) under ``matrix``, which maps pixel centres of the input to those of the result."""
    inverse = np.linalg.inv(matrix)[[1, 0]][:, [1, 0, 2]]  # SciPy says (row, column)
    order = 1 if mode is BILINEAR else 0
    shape = shape or x.shape[1:]
    return np.stack([
        ndimage.affine_transform(c, inverse[:, :2], inverse[:, 2], shape, order=order, mode="grid-constant") for c in x
    ])  # fmt: skip


@BOTH
@pytest.mark.parametrize(
    "angle, translate, scale, shear, center",
    [
        (0, (0, 0), 1, (0, 0), None),
        (30, (0, 0), 1, (0, 0), None),
        (-77, (2, -3), 0.7, (0, 0), None),
        (10, (1, 0), 1.3, (12, -7), (3, 5)),
        (0, (4, 2), 1, (0, 0), None),
    ],
)
def test_affine_is_the_product_of_the_matrices(mode, angle, translate, scale, shear, center):
    x = numbers(2, 11, 14)
    y = F.affine(wrap(x), angle, translate, scale, shear, mode, center=center).numpy()
    # Coordinates of pixel centres: half a pixel less than those of the plane.
    middle = np.subtract(center or (7, 5.5), 0.5)
    np.testing.assert_allclose(y, by_scipy(x, forward(angle, translate, scale, shear, middle), mode), atol=1e-9)


@BOTH
@pytest.mark.parametrize("angle", [20, -131])
@pytest.mark.parametrize("center", [None, (2, 9)])
def test_rotate_turns_counter_clockwise(mode, angle, center):
    x = numbers(3, 12, 9)
    y = F.rotate(wrap(x), angle, mode, center=center).numpy()
    middle = np.subtract(center or (4.5, 6), 0.5)
    np.testing.assert_allclose(y, by_scipy(x, forward(-angle, (0, 0), 1, (0, 0), middle), mode), atol=1e-9)


@pytest.mark.parametrize("shape", [(6, 10), (7, 7), (1, 9)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_quarter_turns_are_exact(shape, dtype):
    x = (numbers(3, *shape) * 255).astype(dtype)
    for quarters in range(-2, 5):
        y = F.rotate(wrap(x), 90 * quarters, expand=True).numpy()
        np.testing.assert_array_equal(y, np.rot90(x, quarters, (1, 2)))


def test_a_hair_more_than_a_quarter_turn_is_no_larger():
    assert F.rotate(wrap(np.ones((1, 10, 10))), 90.0005, expand=True).shape == (1, 10, 10)
    assert F.rotate(wrap(np.ones((1, 10, 10))), 90.1, expand=True).shape == (1, 12, 12)


def test_expand_holds_all_of_the_image():
    y = F.rotate(wrap(np.ones((1, 10, 20), np.float32)), 30, BILINEAR, expand=True)
    width, height = 20 * np.cos(np.pi / 6) + 10 * 0.5, 20 * 0.5 + 10 * np.cos(np.pi / 6)
    assert abs(y.shape[2] - width) < 2 and abs(y.shape[1] - height) < 2
    assert abs(float(y.sum()) - 200) < 8
    assert F.rotate(photo(20, 10), 30, expand=True).size == photo(20, 10).rotate(30, expand=True).size


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "F", "P"])
@pytest.mark.parametrize("fill", [None, 7])
def test_pil_images_are_pillows(mode, fill):
    img = photo(17, 12, mode)
    value = 0 if fill is None else fill
    bands = len(img.getbands())
    value = value if bands == 1 else (value,) * bands
    turned = F.rotate(img, 33, BILINEAR, center=(4, 5), fill=fill)
    want = img.rotate(33, Image.Resampling.BILINEAR, center=(4, 5), fillcolor=value)
    assert (turned.mode, turned.tobytes()) == (img.mode, want.tobytes())
    matrix = np.linalg.inv(forward(15, (2, 1), 0.8, (5, 3), (8.5, 6)))[:2].ravel()
    want = img.transform(img.size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST, fillcolor=value)
    assert F.affine(img, 15, (2, 1), 0.8, (5, 3), fill=fill).tobytes() == want.tobytes()


@BOTH
def test_fill(mode):
    x = np.ones((3, 4, 4), np.float32)
    y = F.affine(wrap(x), 0, (10, 10), 1, 0, mode, fill=[1, 2, 3]).numpy()
    np.testing.assert_array_equal(y, np.broadcast_to(np.float32([[[1]], [[2]], [[3]]]), x.shape))
    half = F.affine(wrap(x), 0, (0.5, 0), 1, 0, BILINEAR, fill=9).numpy()
    np.testing.assert_allclose(half[:, :, 0], 0.5 * 0.5 + 0.5 * 9)  # as torchvision: the pixel's share squared
    assert F.affine(wrap(x), 0, (0.5, 0), 1, 0, BILINEAR).numpy()[0, 0, 0] == 0.5
    pil = F.rotate(photo(9, 9), 45, fill=(1, 2, 3))
    assert pil.getpixel((0, 0)) == (1, 2, 3)


@pytest.mark.parametrize("mode", [NEAREST, BILINEAR])
def test_tensors_are_pytorchs_grid_sample(mode):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(1).random((2, 3, 8, 9), np.float32)
    grid = torch.nn.functional.affine_grid(torch.eye(2, 3)[None].expand(2, 2, 3), [2, 3, 8, 9], align_corners=False)
    d = np.random.default_rng(2).standard_normal((1, 8, 9, 2)).astype(np.float32) / 3
    want = torch.nn.functional.grid_sample(
        torch.from_numpy(x), grid + torch.from_numpy(d), mode=mode.value, align_corners=False
    )
    y = F.elastic_transform(wrap(x), wrap(d), mode).numpy()
    np.testing.assert_allclose(y, want.numpy(), atol=1e-5)


@BOTH
def test_perspective_moves_the_corners(mode):
    x = numbers(1, 20, 30)
    corners = [[0, 0], [29, 0], [29, 19], [0, 19]]
    same = F.perspective(wrap(x), corners, corners, mode).numpy()
    np.testing.assert_allclose(same, x, atol=1e-5)
    moved = [[3, 2], [25, 4], [27, 17], [1, 15]]
    marked = np.zeros((1, 20, 30))
    for cx, cy in corners:
        marked[0, cy, cx] = 1
    y = F.perspective(wrap(marked), corners, moved, BILINEAR).numpy()[0]
    for cx, cy in moved:
        assert y[cy - 1 : cy + 2, cx - 1 : cx + 2].sum() > 0.1
    img = photo(30, 20)
    unmoved = F.perspective(img, corners, corners)
    assert abs(np.asarray(unmoved).astype(int) - np.asarray(img)).max() <= 1


@BOTH
def test_elastic_reads_where_the_displacement_says(mode):
    x = numbers(2, 9, 12)
    d = (np.random.default_rng(3).random((1, 9, 12, 2)) - 0.5) * 0.3
    y = F.elastic_transform(wrap(x), wrap(d.astype(np.float32)), mode).numpy()
    rows, columns = np.mgrid[:9, :12] + np.stack([d[0, ..., 1] * 4.5, d[0, ..., 0] * 6])
    order = 1 if mode is BILINEAR else 0
    want = np.stack([ndimage.map_coordinates(c, [rows, columns], order=order, mode="grid-constant") for c in x])
    np.testing.assert_allclose(y, want, atol=1e-5)
    img = photo(12, 9)
    assert F.elastic_transform(img, wrap(np.zeros((1, 9, 12, 2), np.float32)), mode).tobytes() == img.tobytes()


def test_an_image_without_channels():
    x = numbers(6, 7)
    np.testing.assert_array_equal(F.rotate(wrap(x), 40).numpy(), F.rotate(wrap(x[None]), 40).numpy()[0])


# ----------------------------------------------------------------------------------------------------- what is drawn


def test_angles_are_uniform():
    drawn = np.array([RandomRotation.get_params(RandomRotation(30).degrees) for _ in range(3000)])
    assert drawn.min() >= -30 and drawn.max() <= 30
    np.testing.assert_allclose(np.histogram(drawn, 6, (-30, 30))[0] / 3000, 1 / 6, atol=0.03)
    assert RandomRotation((10, 20)).degrees == [10, 20]


def test_affine_parameters_are_in_their_ranges():
    t = RandomAffine(10, translate=(0.1, 0.3), scale=(0.5, 2), shear=(1, 2, 3, 4))
    drawn = [t.get_params(t.degrees, t.translate, t.scale, t.shear, (50, 20)) for _ in range(2000)]
    angle, move, scale, shear = (np.array(v, float) for v in zip(*drawn, strict=True))
    assert abs(angle).max() <= 10 and abs(angle.mean()) < 0.5
    assert set(move[:, 0]) == set(range(-5, 6)) and set(move[:, 1]) == set(range(-6, 7))
    assert 0.5 <= scale.min() < 0.55 and 1.95 < scale.max() <= 2
    assert (shear.min(0) >= [1, 3]).all() and (shear.max(0) <= [2, 4]).all() and (np.ptp(shear, 0) > 0.9).all()
    assert RandomAffine.get_params((0, 0), None, None, None, (5, 5)) == (0, (0, 0), 1, (0, 0))
    assert RandomAffine(0, shear=9).shear == [-9, 9]


def test_what_is_drawn_is_done(monkeypatch):
    img = photo(15, 11)
    monkeypatch.setattr(RandomAffine, "get_params", staticmethod(lambda *_: (20, (1, 2), 0.9, (3, 4))))
    assert RandomAffine(20, fill=3)(img).tobytes() == F.affine(img, 20, (1, 2), 0.9, (3, 4), fill=3).tobytes()
    monkeypatch.setattr(RandomRotation, "get_params", staticmethod(lambda *_: 20))
    assert RandomRotation(20, fill=3)(img).tobytes() == F.rotate(img, 20, fill=3).tobytes()


def test_corners_move_inwards():
    drawn = np.array([RandomPerspective.get_params(41, 21, 0.5)[1] for _ in range(500)])
    (left, top), (right, bottom) = drawn[:, 0].max(0), drawn[:, 2].min(0)
    assert (left, top, right, bottom) == (10, 5, 30, 15)
    assert drawn[:, 1].max(0).tolist() == [40, 5] and drawn[:, 3].min(0).tolist() == [0, 15]
    img = photo(20, 20)
    assert RandomPerspective(p=0)(img) is img
    assert RandomPerspective(p=1)(img).size == (20, 20)


def test_elastic_displacements_are_small_smooth_and_random():
    d = ElasticTransform.get_params([50.0, 50.0], [5.0, 5.0], [60, 80]).numpy()
    assert d.shape == (1, 60, 80, 2)
    assert (d != ElasticTransform.get_params([50.0, 50.0], [5.0, 5.0], [60, 80]).numpy()).any()
    rough = ElasticTransform.get_params([50.0, 50.0], [0.0, 0.0], [60, 80]).numpy()
    assert np.abs(np.diff(d, axis=1)).mean() < np.abs(np.diff(rough, axis=1)).mean() / 20
    assert np.abs(rough[..., 0]).max() <= 50 / 80 and np.abs(rough[..., 1]).max() <= 50 / 60
    y = ElasticTransform()(photo(80, 60))
    assert (y.size, y.mode) == ((80, 60), "RGB")


@pytest.mark.parametrize("transform", [
    RandomRotation(30), RandomAffine(9, (0.1, 0.1), (0.9, 1.1), 5), RandomPerspective(p=1), ElasticTransform(9.0, 2.0),
])  # fmt: skip
@pytest.mark.parametrize("kind", ["pil", "uint8", "float", "batch"])
def test_every_kind_of_image_keeps_its_kind_and_repeats(transform, kind):
    img = photo(24, 18)
    x = np.moveaxis(np.asarray(img), 2, 0)
    img = {"pil": img, "uint8": wrap(x.copy()), "float": wrap(x / np.float32(255)),
           "batch": wrap(np.stack([x, x]))}[kind]  # fmt: skip
    results = []
    for _ in range(2):
        tinyconv.manual_seed(5)
        results.append(transform(img))
    a, b = (np.asarray(y) if kind == "pil" else y.numpy() for y in results)
    assert type(results[0]) is type(img) and a.dtype == np.asarray(img if kind == "pil" else img.numpy()).dtype
    np.testing.assert_array_equal(a, b)
    if kind == "batch":
        np.testing.assert_array_equal(a[0], a[1])


@pytest.mark.parametrize("call, error, match", [
    (lambda: RandomRotation(-1), ValueError, "non-negative"),
    (lambda: RandomRotation((1, 2, 3)), ValueError, r"\(1, 2, 3\)"),
    (lambda: RandomRotation("9"), ValueError, "degrees"),
    (lambda: RandomRotation(1, fill=None), None, None),
    (lambda: RandomRotation(1, fill=object()), TypeError, "fill"),
    (lambda: RandomRotation(1, center=3), TypeError, "center"),
    (lambda: RandomAffine(1, translate=(2, 0)), ValueError, "translate"),
    (lambda: RandomAffine(1, scale=(0, 1)), ValueError, "scale"),
    (lambda: RandomAffine(1, shear=(1, 2, 3)), ValueError, "2 or 4"),
    (lambda: F.affine(wrap(numbers(1, 3, 3)), 0, (0, 0), 0, 0), ValueError, "scale should be positive"),
    (lambda: F.affine(wrap(numbers(1, 3, 3)), 0, 3, 1, 0), TypeError, "translate"),
    (lambda: F.affine(wrap(numbers(1, 3, 3)), "0", (0, 0), 1, 0), TypeError, "angle"),
    (lambda: F.affine(wrap(numbers(1, 3, 3)), 0, (0, 0), 1, (1, 2, 3)), ValueError, "shear"),
    (lambda: F.rotate(wrap(numbers(3, 3, 3)), 1, fill=[1, 2]), ValueError, "2 numbers.*3 channels"),
    (lambda: F.rotate(photo(3, 3), 1, fill=[1, 2]), ValueError, "2 numbers.*3 channels"),
    (lambda: F.rotate(wrap(numbers(3, 3, 3)), 1, InterpolationMode.BICUBIC), ValueError, "bicubic"),
    (lambda: F.affine(photo(3, 3), 0, (0, 0), 1, 0, InterpolationMode.BOX), ValueError, "box"),
    (lambda: F.rotate(numbers(3, 3), 1), TypeError, "ndarray"),
    (lambda: F.perspective(photo(3, 3), [[0, 0]], [[0, 0]]), ValueError, "four points"),
    (lambda: F.elastic_transform(photo(3, 3), numbers(1, 3, 3, 2)), TypeError, "ndarray"),
    (lambda: F.elastic_transform(photo(3, 3), wrap(numbers(1, 3, 4, 2))), ValueError, r"\(1, 3, 3, 2\)"),
])  # fmt: skip
def test_errors(call, error, match):
    if error is None:
        call()
        return
    with pytest.raises(error, match=match):
        call()


def test_repr():
    assert repr(RandomRotation(9)) == "RandomRotation(degrees=[-9.0, 9.0], interpolation=nearest, expand=False, fill=0)"
    assert repr(RandomAffine(9, (0.1, 0), fill=2)) == "RandomAffine(degrees=[-9.0, 9.0], translate=(0.1, 0), fill=2)"
    assert repr(RandomPerspective()) == "RandomPerspective(p=0.5)"
    assert "alpha=[50.0, 50.0]" in repr(ElasticTransform())
