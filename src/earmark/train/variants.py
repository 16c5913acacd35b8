"""Pretraining as the paper compares it (section B.4): AED, CTC + AED, and Best-RQ; all through the one loop."""

import torch
from torch import nn

from earmark.config import BestRQ, Stage
from earmark.data.dataset import Batch
from earmark.losses import aed_sum, ctc_sum, hybrid_loss, masked_code_loss
from earmark.models.ctc_head import CTCHead
from earmark.models.decoder import AttentionDecoder, decoder_labels
from earmark.models.encoder import ConformerEncoder
from earmark.models.quantizer import QuantizerHead, RandomQuantizer, corrupt, span_mask
from earmark.train.feed.augment import views
from earmark.train.tasks import Loss, Moment, Task


class AEDTask(Task):
    """An attention decoder writes the labels (Eq. 38); with a CTC head beside it, the hybrid (Eq. 39).

    :param ctc_weight: lambda of the hybrid; without a head it is not used.
    """

    def __init__(
        self,
        encoder: ConformerEncoder,
        decoder: AttentionDecoder,
        head: CTCHead | None,
        ctc_weight: float,
        stage: Stage,
    ):
        super().__init__()
        self.encoder, self.decoder, self.head, self.stage = encoder, decoder, head, stage
        self.ctc_weight = ctc_weight
        self.freeze()

    def parts(self) -> dict[str, nn.Module]:
        """Encoder and decoder, and the CTC head if there is one."""
        head: dict[str, nn.Module] = {"ctc_head": self.head} if self.head else {}
        return {"encoder": self.encoder, **head, "decoder": self.decoder}

    def forward(self, batch: Batch, moment: Moment) -> Loss:
        """Loss a label (AED) or a valid encoder frame (hybrid); its parts `ctc` a frame, `aed` a label."""
        moment.generator()
        features = views(batch, self.stage, moment.step, moment.draws())
        encoded, lengths = self.encoder(features, batch.lengths)[:2]
        aed, count = self.aed(encoded, lengths, batch)
        if self.head is None:
            return Loss(aed / count, {"aed": aed / count})
        frames = lengths.sum().to(aed.device)
        log_probs = self.head(encoded).float().log_softmax(-1)
        ctc = ctc_sum(log_probs, lengths, batch.phones, batch.phone_lengths)
        return Loss(hybrid_loss(ctc, aed, self.ctc_weight, frames), {"ctc": ctc / frames, "aed": aed / count})

    def weigh(self, batch: Batch) -> int:
        """Labels with their ends (AED), or valid encoder frames (hybrid)."""
        return super().weigh(batch) if self.head else int(batch.phone_lengths.sum()) + len(batch.ids)

    def aed(self, encoded: torch.Tensor, lengths: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Summed loss of the decoder in nats, and the number of labels, ends included."""
        targets = (one.to(encoded.device) for one in decoder_labels(batch.phones, batch.phone_lengths))
        read, written, counted = targets
        return aed_sum(self.decoder(read, encoded, lengths), written, counted), counted.sum()


class BestRQTask(Task):
    """Codes of masked frames are told from what surrounds them (Eq. 40); labels are not looked at."""

    def __init__(
        self,
        encoder: ConformerEncoder,
        head: QuantizerHead,
        quantizer: RandomQuantizer,
        settings: BestRQ,
        stage: Stage,
    ):
        super().__init__()
        self.encoder, self.head, self.quantizer = encoder, head, quantizer
        self.settings, self.stage = settings, stage
        self.freeze()

    def parts(self) -> dict[str, nn.Module]:
        """Encoder and the head over codes; the quantizer is a function of the seed."""
        return {"encoder": self.encoder, "quantizer_head": self.head}

    def forward(self, batch: Batch, moment: Moment) -> Loss:
        """Loss a masked encoder frame; of its parts `accuracy` is a share, and `masked` the number of masked frames."""
        rng = moment.generator()
        masked = span_mask(batch.lengths, self.settings.mask_probability, self.settings.mask_frames, rng)
        features = corrupt(batch.features, batch.lengths, masked, self.settings.noise)
        masked = masked.to(features.device)
        widest = masked.shape[1]  # a batch may be wider than its longest utterance
        logits = self.head(self.encoder(features, batch.lengths).frames[:, :widest])
        codes = self.quantizer(batch.features, batch.lengths)[:, :widest]
        right = (logits.detach()[masked].argmax(-1) == codes[masked]).float().mean()
        return Loss(masked_code_loss(logits, codes, masked), {"accuracy": right, "masked": masked.sum()})
