"""What a batch costs: one small module a kind of loss, all with the same forward."""

import hashlib
import random
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from earmark.config import Stage
from earmark.data.dataset import Batch
from earmark.losses import cr_ctc_loss, ctc_sum, next_token_loss
from earmark.models.ctc_head import CTCHead
from earmark.models.encoder import ConformerEncoder, subsampled_lengths
from earmark.models.llm import checkpoint_activations
from earmark.models.speech_llm import SpeechLLM, target_logits
from earmark.train.feed.augment import views, views_at
from earmark.train.schedule import consistency


class Loss(NamedTuple):
    """`value` is minimised; `parts` are its parts for the records (nats)."""

    value: torch.Tensor
    parts: dict[str, torch.Tensor]


class Moment(NamedTuple):
    """Where training is: all randomness is drawn from it, so a resumed run draws the same."""

    seed: int
    stage: str
    step: int
    micro: int
    """Number of the batch in its step, over all ranks: the same utterances draw the same on any number of them."""
    rank: int

    def generator(self) -> random.Random:
        """A generator of this moment; torch's own (dropout) is seeded with it as well."""
        rng = random.Random(self._hash().hexdigest())
        torch.manual_seed(rng.getrandbits(63))
        return rng

    def draws(self) -> np.random.Generator:
        """A generator of this moment for augmentation; it touches no other, so it can be had ahead of the step."""
        return np.random.default_rng(int(self._hash().hexdigest(), 16))

    def _hash(self) -> Any:
        return hashlib.sha256(repr(tuple(self)).encode())


class Task(nn.Module):
    """A batch and a moment in, a `Loss` out; modules that the stage does not train are frozen.

    A subclass ends its constructor with `freeze`.
    """

    stage: Stage

    def parts(self) -> dict[str, nn.Module]:
        """Modules by the name that configuration and files give them."""
        raise NotImplementedError

    def weigh(self, batch: Batch) -> int:
        """What the loss is a mean over: valid encoder frames. An update weighs its batches by it, so that every frame
        (token, label) counts alike whatever batch, and process, it is in."""
        return int(subsampled_lengths(batch.lengths).sum())

    def freeze(self) -> None:
        """No gradients for modules that the stage does not train; activations are kept or recomputed as it says."""
        for name, module in self.parts().items():
            module.requires_grad_(name in self.stage.trained)
            if isinstance(module, ConformerEncoder):
                module.checkpointing = self.stage.activation_checkpointing

    def train(self, mode: bool = True) -> "Task":
        """Frozen modules stay in evaluation mode: dropout in them would be noise that nothing learns from."""
        super().train(mode)
        for name, module in self.parts().items():
            if name not in self.stage.trained:
                module.eval()
        return self


class CTCTask(Task):
    """Pretraining: CTC or CR-CTC on phones (section 3.4)."""

    def __init__(self, encoder: ConformerEncoder, head: CTCHead, stage: Stage):
        super().__init__()
        self.encoder, self.head, self.stage = encoder, head, stage
        self.freeze()

    def parts(self) -> dict[str, nn.Module]:
        """Encoder and CTC head."""
        return {"encoder": self.encoder, "ctc_head": self.head}

    def forward(self, batch: Batch, moment: Moment) -> Loss:
        """Loss a valid encoder frame."""
        moment.generator()
        features = views(batch, self.stage, moment.step, moment.draws())
        count = views_at(self.stage, moment.step)
        encoded, lengths = self.encoder(features, batch.lengths.repeat(count))[:2]
        logits = self.head(encoded)
        if count == 1:
            loss = ctc_sum(logits.float().log_softmax(-1), lengths, batch.phones, batch.phone_lengths) / lengths.sum()
            return Loss(loss, {"ctc": loss})
        (one, other), scale = logits.chunk(2), consistency(moment.step, self.stage)
        both = cr_ctc_loss(one, other, lengths.chunk(2)[0], batch.phones, batch.phone_lengths, scale)
        return Loss(both.loss, {"ctc": both.ctc, "consistency": both.consistency})


class NextTokenTask(Task):
    """Alignment, IA-SFT and joint SFT: next-token loss on the transcript (Eq. 5)."""

    def __init__(self, model: SpeechLLM, tokenizer: Any, stage: Stage):
        super().__init__()
        self.model, self.tokenizer, self.stage = model, tokenizer, stage
        self.freeze()
        if stage.activation_checkpointing:
            checkpoint_activations(model.llm)

    def parts(self) -> dict[str, nn.Module]:
        """Encoder, adaptor and LLM."""
        return {"encoder": self.model.encoder, "adaptor": self.model.adaptor, "llm": self.model.llm}

    def train(self, mode: bool = True) -> "NextTokenTask":
        """As of every task; layers whose activations are recomputed always know whether there is training."""
        super().train(mode)
        if self.stage.activation_checkpointing:
            # Gradients pass through a frozen LLM, too, and transformers asks the layer whether it is training; what
            # has dropout lies deeper, and stays as it is.
            for layer in self.model.llm.model.layers:
                layer.training = mode
        return self

    def targets(self, batch: Batch) -> list[list[int]]:
        """Tokens of each transcript, the end among them."""
        end = self.tokenizer.eos_token_id
        return [[*self.tokenizer.encode(text, add_special_tokens=False), end] for text in batch.texts]

    def weigh(self, batch: Batch) -> int:
        """Tokens that are predicted."""
        return sum(map(len, self.targets(batch)))

    def forward(self, batch: Batch, moment: Moment | None) -> Loss:
        """Mean loss a token; `moment` None: clean features (validation)."""
        features = batch.features
        if moment is not None:
            moment.generator()
            features = views(batch, self.stage, moment.step, moment.draws())
        speech, lengths = self.model.embed(features, batch.lengths)
        spliced = self.model.splice(speech, lengths, self.targets(batch), self.stage.packing)
        logits, labels = target_logits(self.model.llm, spliced)
        return Loss(next_token_loss(logits, labels), {})
