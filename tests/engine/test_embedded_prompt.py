"""The prompt encoder: unseen words, order, empty prompts, the same hash everywhere."""

import pytest
import torch

from eutectic.engine.embedded.prompt import WordConditioner, bucket_ids, words


@pytest.fixture
def encoder() -> WordConditioner:
    torch.manual_seed(0)
    return WordConditioner(output_dim=32, dim=16, buckets=256, max_words=6)


def test_shapes_and_mask_follow_the_words(encoder: WordConditioner) -> None:
    embeddings, mask = encoder(["dark metallic drone", "bell"])
    assert embeddings.shape == (2, 6, 32)
    assert mask.sum(1).tolist() == [3, 1]
    assert torch.all(embeddings[~mask] == 0)
    assert torch.all(embeddings[mask].abs().sum(-1) > 0)


@pytest.mark.parametrize("prompt", ["", "   ", "...!"])
def test_a_prompt_without_words_is_all_zeros(encoder: WordConditioner, prompt: str) -> None:
    embeddings, mask = encoder([prompt])
    assert not mask.any()
    assert not embeddings.any()


def test_order_of_words_matters(encoder: WordConditioner) -> None:
    embeddings, _ = encoder(["glass rain", "rain glass"])
    assert not torch.allclose(embeddings[0], embeddings[1])


def test_different_words_differ_and_words_spelt_alike_are_near(encoder: WordConditioner) -> None:
    with torch.no_grad():
        encoder.places.zero_()
        embeddings, _ = encoder(["metallic", "metal", "underwater"])
    like, unlike = (
        torch.cosine_similarity(embeddings[0, 0], other[0], dim=0) for other in embeddings[1:]
    )
    assert like < 1
    assert like > unlike


def test_words_that_were_not_in_training_are_embedded(encoder: WordConditioner) -> None:
    embeddings, _ = encoder(["blorptastic", "żółć 雨 42"])
    assert torch.isfinite(embeddings).all()
    assert embeddings[0, 0].abs().sum() > 0


def test_words_beyond_the_last_position_are_dropped(encoder: WordConditioner) -> None:
    embeddings, mask = encoder(["a b c d e f", "a b c d e f g h"])
    assert torch.equal(embeddings[0], embeddings[1])
    assert mask.all()


def test_case_and_punctuation_do_not_matter() -> None:
    assert words("Dark, METALLIC_drone!") == ["dark", "metallic", "drone"]


def test_buckets_are_the_same_in_every_process() -> None:
    assert bucket_ids("bell", 4096) == [1201, 2324, 1229, 2305, 598, 1498, 135, 873, 3329, 3909]
    assert bucket_ids("bell", 4096) != bucket_ids("belt", 4096)


def test_a_row_does_not_depend_on_its_batch(encoder: WordConditioner) -> None:
    batch, _ = encoder(["low hum", "", "struck bell far away"])
    alone, _ = encoder(["struck bell far away"])
    torch.testing.assert_close(batch[2:], alone)


def test_gradients_reach_parts_and_places(encoder: WordConditioner) -> None:
    encoder(["wide reverb"])[0].square().sum().backward()
    assert encoder.parts.weight.grad is not None and encoder.parts.weight.grad.any()
    assert encoder.places.grad is not None and not encoder.places.grad[2:].any()
