"""The CTC head of pretraining: a three-layer perceptron (paper A.2; section 3.4 calls it linear)."""

from torch import Tensor, nn

BLANK = 0


class CTCHead(nn.Module):
    """Encoder frames to logits over the phoneme inventory, whose index 0 is the blank."""

    def __init__(self, d_model: int, vocabulary: int):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(d_model, d_model),
            nn.ReLU(),
            nn.Linear(d_model, d_model),
            nn.ReLU(),
            nn.Linear(d_model, vocabulary),
        )

    def forward(self, encoded: Tensor) -> Tensor:
        """(B, L, d_model) to logits (B, L, vocabulary)."""
        return self.net(encoded)
