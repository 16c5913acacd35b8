"""The CTC head of pretraining: a three-layer perceptron (paper A.2; section 3.4 calls it linear)."""

from torch import Tensor, nn

BLANK = 0


class CTCHead(nn.Module):
    """Encoder frames to logits over the phoneme inventory, whose index 0 is the blank.

    It starts as He et al. (2015) start layers before a ReLU, the last one as Glorot and Bengio (2010). As torch starts
    linear layers, logits hardly differ from frame to frame: CTC then stays on its blanks for up to thousands of steps,
    how long being chance.
    """

    def __init__(self, d_model: int, vocabulary: int):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(d_model, d_model),
            nn.ReLU(),
            nn.Linear(d_model, d_model),
            nn.ReLU(),
            nn.Linear(d_model, vocabulary),
        )
        first, second, last = (layer for layer in self.net if isinstance(layer, nn.Linear))
        for layer in (first, second):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.xavier_uniform_(last.weight)
        for layer in (first, second, last):
            nn.init.zeros_(layer.bias)

    def forward(self, encoded: Tensor) -> Tensor:
        """(B, L, d_model) to logits (B, L, vocabulary)."""
        return self.net(encoded)
