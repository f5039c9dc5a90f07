"""Two learners of small pictures, behind one interface: a small convolutional network, and a frozen encoder's probe.

The encoder of the probe is learned without labels, as patches' prototypes (Coates, Ng and Lee 2011); the labels only
fit a logistic regression on it. Needs torch (the extra `imaging`).
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from osler.errors import MissingComponent

Method = Literal["cnn", "probe"]
Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
SHIFT = 0.08  # of the side, pictures are moved in training
CONTRAST, BRIGHTNESS = 0.2, 0.1
PATCH, PROTOTYPES = 6, 256
Progress = Callable[[int, int, float], None]


class Fitted(NamedTuple):
    """`state`: the weights. `spread`: mean and deviation of grey values in train."""

    method: Method
    side: int
    channels: int
    classes: int
    spread: tuple[float, float]
    state: dict[str, Any]


def fit(
    method: Method,
    train: tuple[Pixels, npt.NDArray[np.int64]],
    valid: tuple[Pixels, npt.NDArray[np.int64]],
    classes: int,
    epochs: int,
    seed: int,
    progress: Progress | None = None,
) -> Fitted:
    """Weights of the epoch with the least loss on `valid`. `progress` gets epoch, epochs and that loss.

    Raises MissingComponent without torch.
    """
    torch = _torch()
    torch.manual_seed(seed)
    pixels, labels = train
    spread = (float(pixels.mean()), max(float(pixels.std()), 1.0))
    side, channels = pixels.shape[1], pixels.shape[3]
    empty = Fitted(method, side, channels, classes, spread, {})
    net = _net(empty)
    if method == "probe":
        net.encoder.learn(_tensor(pixels, spread), seed)
    weight = torch.tensor(len(labels) / (classes * np.bincount(labels, minlength=classes)), dtype=torch.float32)
    loss_of = torch.nn.CrossEntropyLoss(weight=weight, label_smoothing=0.05)
    data, truth = _tensor(pixels, spread), torch.tensor(labels)
    if method == "probe":
        data = _features(net, data)
    steps = -(-len(labels) // 64)
    learned = [one for one in net.parameters() if one.requires_grad]
    optimiser = torch.optim.AdamW(learned, lr=2e-3, weight_decay=2e-2)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=4e-3, total_steps=epochs * steps)
    held, held_truth = _tensor(valid[0], spread), torch.tensor(valid[1])
    if method == "probe":
        held = _features(net, held)
    best, kept = float("inf"), None
    luck = torch.Generator().manual_seed(seed)
    for epoch in range(epochs):
        net.train()
        for batch in torch.randperm(len(labels), generator=luck).split(64):
            seen = data[batch] if method == "probe" else _moved(data[batch], luck)
            optimiser.zero_grad()
            loss_of(net.head(seen) if method == "probe" else net(seen), truth[batch]).backward()
            optimiser.step()
            rate.step()
        net.eval()
        with torch.no_grad():
            said = torch.cat([net.head(part) if method == "probe" else net(part) for part in held.split(256)])
            loss = float(torch.nn.functional.cross_entropy(said, held_truth, weight=weight))
        if loss < best:
            best, kept = loss, {name: value.clone() for name, value in net.state_dict().items()}
        if progress is not None:
            progress(epoch + 1, epochs, loss)
    return empty._replace(state=kept or net.state_dict())


def outputs(fitted: Fitted, pixels: Pixels) -> tuple[Floats, Floats]:
    """Logits (n, classes) and features (n, d) of pictures."""
    torch = _torch()
    net = _net(fitted)
    net.load_state_dict(fitted.state)
    net.eval()
    logits, features = [], []
    with torch.no_grad():
        for part in _tensor(pixels, fitted.spread).split(256):
            inner = net.encoder(part)
            features.append(inner.numpy())
            logits.append(net.head(inner).numpy())
    return np.concatenate(logits).astype(float), np.concatenate(features).astype(float)


def _net(fitted: Fitted) -> Any:
    torch = _torch()
    nn = torch.nn

    def block(inside: int, outside: int) -> list[Any]:
        return [nn.Conv2d(inside, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()]

    class Pool(nn.Module):  # type: ignore[misc,name-defined]
        def forward(self, seen: Any) -> Any:
            return torch.cat([seen.mean((2, 3)), seen.amax((2, 3))], 1)

    class Prototypes(nn.Module):  # type: ignore[misc,name-defined]
        """Soft assignment ("triangle") of whitened patches to prototypes, averaged over a 3 x 3 grid."""

        def __init__(self) -> None:
            super().__init__()
            width = fitted.channels * PATCH * PATCH
            self.register_buffer("centre", torch.zeros(width))
            self.register_buffer("white", torch.eye(width))
            self.register_buffer("prototypes", torch.zeros(PROTOTYPES, width))

        def patches(self, seen: Any) -> Any:
            found = nn.functional.unfold(seen, PATCH, stride=1 if fitted.side <= 32 else 2).transpose(1, 2)
            found = found - found.mean(2, keepdim=True)
            return found / (found.var(2, keepdim=True) + 0.05).sqrt()

        def learn(self, seen: Any, seed: int) -> None:
            luck = torch.Generator().manual_seed(seed)
            with torch.no_grad():
                some = self.patches(seen[torch.randperm(len(seen), generator=luck)[:600]]).reshape(
                    -1, self.centre.numel()
                )
                some = some[torch.randperm(len(some), generator=luck)[:40_000]]
                self.centre.copy_(some.mean(0))
                values, axes = torch.linalg.eigh(torch.cov((some - self.centre).T))
                self.white.copy_(axes @ torch.diag((values.clamp(min=0) + 0.05).rsqrt()) @ axes.T)
                some = (some - self.centre) @ self.white
                places = some[torch.randperm(len(some), generator=luck)[:PROTOTYPES]].clone()
                for _ in range(12):
                    nearest = torch.cdist(some, places).argmin(1)
                    for k in nearest.unique():
                        places[k] = some[nearest == k].mean(0)
                self.prototypes.copy_(places)

        def forward(self, seen: Any) -> Any:
            found = (self.patches(seen) - self.centre) @ self.white
            far = torch.cdist(found, self.prototypes.expand(len(found), -1, -1))
            near = (far.mean(2, keepdim=True) - far).clamp(min=0)
            size = int(near.shape[1] ** 0.5)
            grid = near.transpose(1, 2).reshape(len(near), PROTOTYPES, size, size)
            return nn.functional.adaptive_avg_pool2d(grid, 3).flatten(1)

    class Net(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            if fitted.method == "probe":
                self.encoder = Prototypes()
                width = PROTOTYPES * 9
                self.head = nn.Sequential(nn.BatchNorm1d(width), nn.Dropout(0.3), nn.Linear(width, fitted.classes))
                return
            layers = [*block(fitted.channels, 16), *block(16, 16), nn.MaxPool2d(2)]
            layers += [*block(16, 32), *block(32, 32), nn.MaxPool2d(2), *block(32, 64), *block(64, 64)]
            if fitted.side > 32:
                layers += [nn.MaxPool2d(2), *block(64, 64)]
            self.encoder = nn.Sequential(*layers, Pool())
            self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(128, fitted.classes))

        def forward(self, seen: Any) -> Any:
            return self.head(self.encoder(seen))

    return Net()


def _features(net: Any, data: Any) -> Any:
    torch = _torch()
    with torch.no_grad():
        return torch.cat([net.encoder(part) for part in data.split(64)])


def _moved(seen: Any, luck: Any) -> Any:
    """Each picture shifted, and its contrast and brightness changed a little; never mirrored: sides mean something."""
    torch = _torch()
    reach = max(1, round(SHIFT * seen.shape[-1]))
    padded = torch.nn.functional.pad(seen, [reach] * 4, mode="replicate")
    size = seen.shape[-1]
    moves = torch.randint(0, 2 * reach + 1, (len(seen), 2), generator=luck).tolist()
    moved = torch.stack([padded[k, :, y : y + size, x : x + size] for k, (y, x) in enumerate(moves)])
    scale = 1 + CONTRAST * (2 * torch.rand(len(seen), 1, 1, 1, generator=luck) - 1)
    return moved * scale + BRIGHTNESS * 2 * (torch.rand(len(seen), 1, 1, 1, generator=luck) - 0.5)


def _tensor(pixels: Pixels, spread: tuple[float, float]) -> Any:
    return (_torch().tensor(pixels).permute(0, 3, 1, 2).float() - spread[0]) / spread[1]


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise MissingComponent("torch is not installed", hint="pip install 'osler[imaging]'") from None
    return torch
