"""Tokens must be those of transformers' `generate`, and a batch must give what its utterances give alone."""

import copy

import pytest
import torch

from earmark.decode.search import PREFILL_ROWS, beam, greedy

EOS = 7
SEEDS = range(3)


@pytest.fixture(scope="module")
def models():
    """Tiny random language models, one a seed, with weights so large that the distributions are not flat."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = Qwen3Config(
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        vocab_size=50,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=EOS,
    )
    made = []
    for seed in SEEDS:
        torch.manual_seed(seed)
        lm = Qwen3ForCausalLM(config).eval()
        with torch.no_grad():
            for parameter in lm.parameters():
                if parameter.dim() == 2:
                    parameter.mul_(5)
        made.append(lm)
    return made


def prompts(lengths, seed):
    """Right-padded embeddings; the padding is far from zero, so that attending to it would be seen."""
    embeds = torch.randn(len(lengths), max(lengths), 64, generator=torch.Generator().manual_seed(seed))
    for row, length in zip(embeds, lengths, strict=True):
        row[length:] = 100.0
    return embeds, torch.tensor(lengths)


def generated(lm, embeds, length, limit, **options):
    """Tokens and score of transformers for one utterance, alone and without padding."""
    output = lm.generate(
        inputs_embeds=embeds[None, :length],
        attention_mask=torch.ones(1, length, dtype=torch.long),
        max_new_tokens=limit,
        do_sample=False,
        eos_token_id=EOS,
        pad_token_id=EOS,
        return_dict_in_generate=True,
        output_scores=True,
        **options,
    )
    return without_end(output.sequences[0].tolist()), output.get("sequences_scores")


def without_end(tokens):
    return tokens[: tokens.index(EOS)] if EOS in tokens else tokens


@pytest.mark.parametrize("seed", SEEDS)
def test_greedy_is_generate(models, seed):
    embeds, lengths = prompts([9, 3, 14, 1], seed)
    found = greedy(models[seed], embeds, lengths, EOS, 20)
    expected = [generated(models[seed], e, n, 20)[0] for e, n in zip(embeds, lengths, strict=True)]
    assert found == expected


@pytest.mark.parametrize(("beams", "length_penalty"), [(3, 1.0), (5, 1.0), (2, 0.0), (3, 2.0)])
@pytest.mark.parametrize("seed", SEEDS)
def test_beam_is_generate(models, seed, beams, length_penalty):
    embeds, lengths = prompts([9, 3, 14, 1, 6], seed)
    found = beam(models[seed], embeds, lengths, EOS, 16, beams=beams, length_penalty=length_penalty)
    for hypothesis, e, n in zip(found, embeds, lengths, strict=True):
        tokens, score = generated(models[seed], e, n, 16, num_beams=beams, length_penalty=length_penalty)
        assert hypothesis.tokens == tokens
        assert hypothesis.score == pytest.approx(float(score), rel=1e-5)


@pytest.mark.parametrize("search", [greedy, beam])
def test_prompts_read_in_several_groups(models, search):
    """More prompts than are read at once, in an order that is not that of their lengths."""
    embeds, lengths = prompts([9, 3, 14, 1, 6, 20, 2, 17, 11, 5, 8], seed=2)
    assert len(lengths) > PREFILL_ROWS
    found = search(models[2], embeds, lengths, EOS, 12)
    alone = [search(models[2], e[None, :n], n[None], EOS, 12)[0] for e, n in zip(embeds, lengths, strict=True)]
    if search is beam:
        found, alone = ([one.tokens for one in side] for side in (found, alone))
    assert found == alone


@pytest.mark.parametrize("search", [greedy, beam])
def test_bfloat16(models, search):
    embeds, lengths = prompts([9, 3, 14], seed=1)
    lm = copy.deepcopy(models[1]).bfloat16()
    assert len(search(lm, embeds.bfloat16(), lengths, EOS, 6)) == 3


def test_the_cases_above_are_of_all_kinds(models):
    """Ended early and cut at the limit, beams that differ from greedy: else equality would say little."""
    ended, cut, differ = 0, 0, 0
    for seed in SEEDS:
        embeds, lengths = prompts([9, 3, 14, 1, 6], seed)
        found = [h.tokens for h in beam(models[seed], embeds, lengths, EOS, 16)]
        ended += sum(len(tokens) < 16 for tokens in found)
        cut += sum(len(tokens) == 16 for tokens in found)
        differ += found != greedy(models[seed], embeds, lengths, EOS, 16)
    assert ended > 2 and cut > 2 and differ > 2


@pytest.mark.parametrize("seed", SEEDS)
def test_limits_of_each_utterance(models, seed):
    embeds, lengths = prompts([5, 11, 2, 8], seed)
    limits = torch.tensor([3, 12, 1, 7])
    together = beam(models[seed], embeds, lengths, EOS, limits)
    for i, limit in enumerate(limits.tolist()):
        alone = beam(models[seed], embeds[i : i + 1, : lengths[i]], lengths[i : i + 1], EOS, limit)[0]
        assert together[i].tokens == alone.tokens
        assert together[i].score == pytest.approx(alone.score, rel=1e-5)
        assert len(alone.tokens) <= limit
    expected = [
        greedy(models[seed], embeds[i : i + 1], lengths[i : i + 1], EOS, int(n))[0] for i, n in enumerate(limits)
    ]
    assert greedy(models[seed], embeds, lengths, EOS, limits) == expected


@pytest.mark.parametrize("search", [greedy, beam])
def test_stops_when_nothing_can_improve(models, search):
    embeds, lengths = prompts([9, 3, 14, 1, 6], seed=1)
    ended = [n for n, tokens in enumerate(greedy(models[1], embeds, lengths, EOS, 40)) if len(tokens) < 40]
    steps = []
    counter = models[1].model.register_forward_hook(lambda *_: steps.append(1))
    try:
        search(models[1], embeds[ended], lengths[ended], EOS, 300)
    finally:
        counter.remove()
    assert ended and len(steps) < 60


def test_score_is_the_mean_log_probability(models):
    embeds, lengths = prompts([6], seed=1)
    tokens, score = beam(models[1], embeds, lengths, EOS, 10)[0]
    spoken = torch.tensor([tokens + [EOS] * (len(tokens) < 10)])
    with torch.no_grad():
        whole = torch.cat([embeds, models[1].model.embed_tokens(spoken)], dim=1)
        log_probs = models[1](inputs_embeds=whole).logits.log_softmax(-1)[:, 5:-1]
    assert score == pytest.approx(float(log_probs.gather(2, spoken[..., None]).mean()), rel=1e-5)


def test_the_usual_attention_comes_back(models):
    embeds, lengths = prompts([6, 2], seed=0)
    expected = beam(models[0], embeds, lengths, EOS, 8)
    models[0].set_attn_implementation("eager")
    try:
        assert [h.tokens for h in beam(models[0], embeds, lengths, EOS, 8)] == [h.tokens for h in expected]
        assert models[0].config._attn_implementation == "eager"
    finally:
        models[0].set_attn_implementation("sdpa")


@pytest.mark.parametrize("search", [greedy, beam])
@pytest.mark.parametrize(
    ("lengths", "limit", "message"),
    [([0, 3], 5, "lengths"), ([4, 3], 5, "lengths"), ([3], 5, "lengths"), ([3, 1], 0, "at least 1")],
)
def test_what_does_not_fit_is_refused(models, search, lengths, limit, message):
    with pytest.raises(ValueError, match=message):
        search(models[0], torch.zeros(2, 3, 64), torch.tensor(lengths), EOS, limit)
