"""Where everything of a run lies: the one description of the tree under results/RUN.

corpora/NAME/manifest.parquet        rows as the corpus has them (and audio/ where it was synthesised)
text/NAME/part_0000.parquet          the same rows with text, phones and status, in the corpus's `parts`
shards/NAME/part_0000/               the shards of a part:
    NAME-0000-0000.arrow             features and labels (part, number); .parquet is the index, .json its checksums
    aside.parquet, done.json         rows that could not be used, and what the part's shards hold
shards/dataset.json                  all that training sees of the data; with it index.arrow and excluded.parquet
llm/                                 the language model and tokenizer that post-training starts from
pretrain|align|ia_sft_N|joint/step_0000500/     weights, metrics.parquet, done.json
cka/score_K_ref_R.json, decision_K.json, trace.json
entropy/STAGE_STEP.json              NSE, PAI, CSAI
evaluation/                          utterances.parquet, scores.json
report.html, summary.json
"""

from pathlib import Path


def step_name(step: int) -> str:
    """Folder of a step: seven digits, so that names sort."""
    return f"step_{step:07d}"


def part_name(part: int) -> str:
    """Name of a part: four digits, so that names sort."""
    return f"part_{part:04d}"


class RunPaths:
    """Paths of one run.

    :param data: folder of the run whose data and language model it takes; none: its own. :param pretraining: of the run
        whose pretraining, watch and entropy metrics of snapshots it takes.
    """

    def __init__(self, folder: Path | str, data: Path | None = None, pretraining: Path | None = None):
        self.folder = Path(folder)
        self.data = data or self.folder
        self.pretraining = pretraining or self.folder

    def raw_manifest(self, corpus: str) -> Path:
        """Rows as the corpus has them."""
        return self.data / "corpora" / corpus / "manifest.parquet"

    def manifest(self, corpus: str, part: int = 0) -> Path:
        """Rows of a part with labels and status."""
        return self.data / "text" / corpus / f"{part_name(part)}.parquet"

    def manifests(self, corpus: str, parts: int) -> list[Path]:
        """The labelled manifests of all parts, in their order."""
        return [self.manifest(corpus, part) for part in range(parts)]

    def shards(self, corpus: str, part: int = 0) -> Path:
        """Folder of a part's shards."""
        return self.data / "shards" / corpus / part_name(part)

    def shards_done(self, corpus: str, part: int = 0) -> Path:
        """Completion marker of a part's shards: their names, rows and checksums."""
        return self.shards(corpus, part) / "done.json"

    @property
    def excluded(self) -> Path:
        """Rows in shards that training leaves out: duplicates, and overlap with test sets."""
        return self.data / "shards" / "excluded.parquet"

    @property
    def index(self) -> Path:
        """Where each utterance that training sees lies."""
        return self.data / "shards" / "index.arrow"

    @property
    def dataset(self) -> Path:
        """The one manifest that training sees."""
        return self.data / "shards" / "dataset.json"

    @property
    def llm(self) -> Path:
        """Language model and tokenizer, Hugging Face format."""
        return self.data / "llm"

    def stage(self, stage: str) -> Path:
        """Folder of a stage instance: pretrain, align, ia_sft_1, ..., joint."""
        return (self.pretraining if stage == "pretrain" else self.folder) / stage

    def step(self, stage: str, step: int) -> Path:
        """Folder of a segment's end."""
        return self.stage(stage) / step_name(step)

    def score(self, step: int, reference: int) -> Path:
        """CKA between two snapshots, named by both: another tau recomputes nothing."""
        return self.pretraining / "cka" / f"score_{step:07d}_ref_{reference:07d}.json"

    def decision(self, step: int) -> Path:
        """State of the watch after a step."""
        return self.pretraining / "cka" / f"decision_{step:07d}.json"

    @property
    def trace(self) -> Path:
        """All decisions."""
        return self.pretraining / "cka" / "trace.json"

    def entropy(self, stage: str, step: int) -> Path:
        """NSE, PAI and CSAI of one encoder."""
        folder = self.pretraining if stage == "pretrain" else self.folder
        return folder / "entropy" / f"{stage}_{step:07d}.json"

    @property
    def embeddings(self) -> Path:
        """Sentence embeddings of the diagnosed utterances."""
        return self.pretraining / "entropy" / "embeddings.safetensors"

    @property
    def evaluation(self) -> Path:
        """Folder of the evaluation."""
        return self.folder / "evaluation"
