"""Fine-tuning a cross-encoder from the MiniLM backbone, within a budget of time and of pairs."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from catalog.embedding import bundled_model
from recommendations.rerankers.pairs import Group
from recommendations.reranking.cross_encoder import LONGEST, has_bfloat16
from recommendations.reranking.texts import Relation

if TYPE_CHECKING:
    import torch

THREADS = 2
# A group is shown with this many candidates, at most half of them chosen ones; a step takes so many groups.
LIST = 12
GROUPS = 4
# What fills a list: shown or proposed and passed over, some that are popular, and a few from anywhere.
POPULAR, ANYWHERE = 2, 2
LEARNING_RATE = 2e-4
WARM_UP_STEPS = 20
LEAST_RATE = 0.02
# The first layers of the backbone; each costs a sixth of its time.
LAYERS = 3

Texts = Callable[[Relation, int], str]
Progress = Callable[[float, float], None]


@dataclass(frozen=True, slots=True)
class Budget:
    """How long fitting may take, in seconds and in pairs: whichever ends first."""

    seconds: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Material:
    """What is learned from: groups, what stage 2 proposes under each, and what is popular, best first.

    `question` and `answer` are the texts of a context and of a candidate.
    """

    groups: Sequence[Group]
    proposed: Mapping[tuple[Relation, int], Sequence[int]]
    popular: Sequence[int]
    everything: Sequence[int]
    question: Texts
    answer: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What fitting did: steps, pairs, seconds, and the mean loss of its first and its last tenth."""

    steps: int
    pairs: int
    seconds: float
    first_loss: float
    last_loss: float


def fit(material: Material, folder: Path, *, budget: Budget, seed: int, progress: Progress) -> Fitted:
    """Fine-tune, and write model and tokenizer into `folder` (safetensors, no pickle).

    The loss is the cross-entropy between the shares in which the products of a list were chosen and the softmax of
    their scores (Cao et al. 2007, ListNet, top-one). `progress` hears the used share of the budget, and the loss.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    torch.set_num_threads(min(THREADS, torch.get_num_threads()))
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model, tokenizer = _backbone()
    weights = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, fused=True)
    losses: list[float] = []
    began, used, pairs = time.monotonic(), 0.0, 0
    for batch in _batches(material, rng):
        if used >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min((len(losses) + 1) / WARM_UP_STEPS, 1.0) * max(1 - used, LEAST_RATE)
        losses.append(_step(model, tokenizer, optimizer, weights, batch))
        pairs += len(batch.texts)
        used = max((time.monotonic() - began) / budget.seconds, pairs / budget.pairs)
        progress(min(used, 1.0), losses[-1])
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    tenth = max(len(losses) // 10, 1)
    return Fitted(
        steps=len(losses),
        pairs=pairs,
        seconds=round(time.monotonic() - began, 1),
        first_loss=round(float(np.mean(losses[:tenth])), 4),
        last_loss=round(float(np.mean(losses[-tenth:])), 4),
    )


@dataclass(frozen=True, slots=True)
class _Batch:
    texts: list[tuple[str, str]]
    shares: np.ndarray  # groups × list, each row adds up to 1


def _batches(material: Material, rng: np.random.Generator) -> Any:
    """Yield batches for ever: groups are drawn by the square root of the choices behind them."""
    weights = np.sqrt([group.choices for group in material.groups])
    while True:
        drawn = rng.choice(len(material.groups), size=GROUPS, p=weights / weights.sum())
        yield _batch(material, [material.groups[one] for one in drawn], rng)


def _batch(material: Material, groups: Sequence[Group], rng: np.random.Generator) -> _Batch:
    texts, shares = [], np.zeros((len(groups), LIST))
    for row, group in enumerate(groups):
        chosen = _some(list(group.chosen), LIST // 2, rng)
        listed = chosen + _passed_over(material, group, LIST - len(chosen), rng)
        shares[row, : len(chosen)] = [group.chosen[one] for one in chosen]
        question = material.question(group.relation, group.product)
        texts += [(question, material.answer(one)) for one in listed]
    return _Batch(texts, shares / shares.sum(axis=1, keepdims=True))


def _passed_over(material: Material, group: Group, count: int, rng: np.random.Generator) -> list[int]:
    """Return products that were not chosen: shown first, then proposed, popular, and from anywhere."""
    taken = {*group.chosen, group.product}
    found: list[int] = []

    def add(products: Sequence[int], most: int) -> None:
        free = [one for one in products if one not in taken]
        for one in _some(free, most, rng):
            taken.add(one)
            found.append(one)

    add(group.passed_over, (count - POPULAR - ANYWHERE) // 2)
    add(material.proposed.get((group.relation, group.product), ()), count - POPULAR - ANYWHERE - len(found))
    add(material.popular, POPULAR)
    drawn = rng.integers(len(material.everything), size=4 * LIST)
    add(list(dict.fromkeys(material.everything[one] for one in drawn)), count - len(found))
    # A shop of a handful of products: the list is filled up by what is there.
    while len(found) < count:
        found.append(int(rng.choice(found or material.everything)))
    return found


def _some(products: Sequence[int], most: int, rng: np.random.Generator) -> list[int]:
    """Return up to `most` of the products, each once."""
    if most <= 0 or not products:
        return []
    return [products[one] for one in rng.choice(len(products), size=min(most, len(products)), replace=False)]


def _backbone() -> tuple[Any, Any]:
    """Return the model to begin with and its tokenizer: no dropout, since each pair is seen a few times at most.

    The word embeddings stay as they are: two thirds of the weights, which a short training could only spoil.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    folder = str(bundled_model())
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=1, num_hidden_layers=LAYERS, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    for name, weight in model.named_parameters():
        weight.requires_grad_("embeddings" not in name)
    return model.train(), AutoTokenizer.from_pretrained(folder)


def _step(model: Any, tokenizer: Any, optimizer: Any, weights: list["torch.Tensor"], batch: _Batch) -> float:
    import torch

    asked = tokenizer(
        [question for question, _ in batch.texts], [answer for _, answer in batch.texts],
        padding=True, truncation=True, max_length=LONGEST, return_tensors="pt",
    )  # fmt: skip
    with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16()):
        scores = model(**asked).logits[:, 0]
    shares = torch.as_tensor(batch.shares, dtype=torch.float32)
    loss = -(shares * torch.log_softmax(scores.float().view(shares.shape), dim=1)).sum(dim=1).mean()
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(weights, 1.0)
    optimizer.step()
    return float(loss.detach())
