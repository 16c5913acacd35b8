"""The one typed configuration. YAML is validated against it; JSON schema and settings page are generated from it.

Sections follow the flow of data: `corpora`, `labels`, `training` (models, stages, watch), `evaluation`. `run` holds
them all, `variants` what runs share and an ablation changes; `reading` (`files`: a base, its variants) starts at YAML.
`base`: what all sections are. No heavy import: the Snakefile reads this package on every start.
"""

from earmark.config.base import Language, Section
from earmark.config.corpora import (
    AsteriskPromptsCorpus,
    Corpus,
    CorpusBase,
    Fields,
    FolderCorpus,
    HfParquetCorpus,
    HskWordsCorpus,
    KaldiCorpus,
    LhotseCutsCorpus,
    OwnCorpus,
    PublicCorpus,
    SpokenDigitsCorpus,
    SyntheticCorpus,
    WebdatasetCorpus,
)
from earmark.config.evaluation import Decoding, Evaluation, TestSet
from earmark.config.labels import Shards, Text
from earmark.config.reading import dump, load, parse
from earmark.config.run import Config, segments
from earmark.config.training import (
    TRAINS,
    Adaptor,
    BestRQ,
    Decoder,
    Encoder,
    Module,
    ShortFirst,
    SmallLLM,
    SpecAugment,
    Stage,
    Stages,
    Validation,
    Watch,
)
from earmark.config.variants import (
    Planned,
    PostTraining,
    Shares,
    check_shared,
    check_tests,
    encoders,
    phases,
    plan,
)

__all__ = [
    "TRAINS",
    "Adaptor",
    "AsteriskPromptsCorpus",
    "BestRQ",
    "Config",
    "Corpus",
    "CorpusBase",
    "Decoder",
    "Decoding",
    "Encoder",
    "Evaluation",
    "Fields",
    "FolderCorpus",
    "HfParquetCorpus",
    "HskWordsCorpus",
    "KaldiCorpus",
    "Language",
    "LhotseCutsCorpus",
    "Module",
    "OwnCorpus",
    "Planned",
    "PostTraining",
    "PublicCorpus",
    "Section",
    "Shards",
    "Shares",
    "ShortFirst",
    "SmallLLM",
    "SpecAugment",
    "SpokenDigitsCorpus",
    "Stage",
    "Stages",
    "SyntheticCorpus",
    "TestSet",
    "Text",
    "Validation",
    "Watch",
    "WebdatasetCorpus",
    "check_shared",
    "check_tests",
    "dump",
    "encoders",
    "load",
    "parse",
    "phases",
    "plan",
    "segments",
]
