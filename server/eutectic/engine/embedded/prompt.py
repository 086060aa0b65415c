"""Prompts to embeddings without a vocabulary or a language model.

A word is the sum of the embeddings of its hashed parts: itself and its character n-grams
(fastText: Bojanowski et al. 2017). So a word that was not in the training data still lands near
words spelt alike. An embedding of its position in the prompt is added.
"""

import re
import zlib
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from eutectic.engine.library import Conditioner

NGRAM_LENGTHS = (3, 4, 5)


class WordConditioner(Conditioner):
    """Prompt strings to one embedding per word; the rest of the `max_words` positions are zeros.

    Words beyond `max_words` are dropped; an empty prompt is all zeros.
    """

    def __init__(
        self, output_dim: int, dim: int = 128, buckets: int = 4096, max_words: int = 16
    ) -> None:
        super().__init__(dim, output_dim)
        self.buckets = buckets
        self.max_words = max_words
        self.parts = nn.EmbeddingBag(buckets, dim, mode="sum")
        self.places = nn.Parameter(torch.randn(max_words, dim) * 0.5)
        nn.init.normal_(self.parts.weight, std=1.0)

    def forward(
        self, x: Sequence[str], device: torch.device | str | None = None
    ) -> tuple[Float[Tensor, "batch word dim"], Bool[Tensor, "batch word"]]:
        """Embeddings of each prompt's words, and a mask of the positions that have one."""
        prompts = [words(prompt)[: self.max_words] for prompt in x]
        device = self.places.device if device is None else torch.device(device)
        lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
        mask = torch.arange(self.max_words, device=device) < lengths[:, None]
        embeddings = torch.zeros(*mask.shape, self.output_dim, device=device).to(self.places)
        if mask.any():
            flat = self._embed([word for prompt in prompts for word in prompt], device)
            places = self.places.expand(len(prompts), -1, -1)[mask]
            embeddings[mask] = self.proj_out(flat + places)
        return embeddings, mask

    def _embed(self, flat: list[str], device: torch.device) -> Float[Tensor, "word dim"]:
        """Sum of each word's parts, of about unit variance however many there are."""
        ids = [bucket_ids(word, self.buckets) for word in flat]
        counts = torch.tensor([len(word_ids) for word_ids in ids], device=device)
        offsets = counts.cumsum(0) - counts
        parts = torch.tensor([i for word_ids in ids for i in word_ids], device=device)
        return self.parts(parts, offsets) / counts.sqrt()[:, None].to(self.places)


def words(prompt: str) -> list[str]:
    """The prompt's words in lower case, separated by anything but letters and digits."""
    return re.findall(r"[^\W_]+", prompt.lower())


def bucket_ids(word: str, buckets: int) -> list[int]:
    """Hash buckets of a word and of its n-grams; the same on every machine and in every run."""
    marked = f"<{word}>"
    ngrams = [
        marked[start : start + length]
        for length in NGRAM_LENGTHS
        for start in range(len(marked) - length + 1)
    ]
    return [zlib.crc32(part.encode()) % buckets for part in [f"={word}", *ngrams]]
