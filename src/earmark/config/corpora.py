"""Settings of the corpora: one class a reader."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from earmark.config.base import Fraction, Language, Name, Section, Seed

Synthesised = Literal["zh", "en", "zh-en"]


class CorpusBase(Section):
    """What every corpus has, whatever its reader."""

    room: ClassVar[str] = "small"
    """Folder of `earmark.corpora` that its reader stands in."""
    name: Name
    """Short unique name; utterance ids begin with it."""
    domain: str = "variety"
    """Domain as in Table 4 of the paper (audiobook, read, conversation, ...)."""
    licence: str = "unknown"
    """Licence of the audio."""
    trim_silence: bool = False
    """Cut leading and trailing frames more than 35 dB below the loudest, but for an 80 ms margin."""
    weight: PositiveFloat | None = None
    """Hours that the corpus counts as when utterances are drawn; none: its hours to the power `sampling_power`."""
    shared_speakers: bool = False
    """Test sets have speakers of training; else training utterances by a speaker of the corpus's tests are left out."""
    parts: Annotated[int, Field(ge=1, le=9999)] = 1
    """Parts that are labelled and sharded by jobs of their own; about 1,200 hours each is a good size."""

    @property
    def test_splits(self) -> set[str] | None:
        """Splits of its test sets; None: only its data tell."""
        return None


class SyntheticCorpus(CorpusBase):
    """Sentences of a grammar, or of lists, spoken by espeak-ng. Synthetic speech: called so wherever it is shown."""

    reader: Literal["synthetic"]
    train: dict[Synthesised, PositiveInt] = {"zh": 1000, "en": 1000, "zh-en": 600}
    """Training utterances by language."""
    valid: dict[Synthesised, PositiveInt] = {"zh": 24, "en": 24, "zh-en": 16}
    """Validation utterances by language (voices and sentences of training excluded)."""
    test: dict[Synthesised, PositiveInt] = {"zh": 100, "en": 100, "zh-en": 100}
    """Test utterances by language (voices and sentences of training excluded)."""
    sentences: dict[Synthesised, Path] | None = None
    """Text files, one sentence a line, in place of the built-in grammar."""
    seed: Seed = 1
    """Seed of the choice of sentences, voices, rates and pitches."""

    @property
    def test_splits(self) -> set[str]:
        """One a language."""
        return {f"test_{language.replace('-', '_')}" for language in self.test}


class HskWordsCorpus(CorpusBase):
    """Real recorded Mandarin words: one speaker, `cmn-WORD.mp3` in a tar archive (public project audio-cmn)."""

    reader: Literal["hsk_words"]
    path: Path
    """The tar archive."""
    test_words: PositiveInt = 400
    """Words of two or more characters that are held out of training: never heard."""
    valid_words: PositiveInt = 60
    """Words of two or more characters for validation."""
    seed: Seed = 1
    """Seed of the choice of held-out words."""
    shared_speakers: bool = True
    """One speaker: words are held out, not voices."""
    licence: str = "CC-BY-SA"
    """Licence of the audio."""

    @property
    def test_splits(self) -> set[str]:
        """One of words never heard."""
        return {"test_words"}


class SpokenDigitsCorpus(CorpusBase):
    """Real recorded English digits: `{digit}_{speaker}_{n}.wav` in a tar.gz archive (Free Spoken Digit Dataset)."""

    reader: Literal["spoken_digits"]
    path: Path
    """The tar.gz archive."""
    test_speaker: str = "theo"
    """The speaker who is held out of training."""
    valid_recordings: PositiveInt = 30
    """Recordings of the other speakers for validation."""
    seed: Seed = 1
    """Seed of the choice of validation recordings."""
    licence: str = "CC-BY-SA-4.0"
    """Licence of the audio."""

    @property
    def test_splits(self) -> set[str]:
        """One of the speaker who is held out."""
        return {"test_digits"}


class AsteriskPromptsCorpus(CorpusBase):
    """Real recorded English prompts of Debian's asterisk-core-sounds-en packages: one speaker."""

    reader: Literal["asterisk_prompts"]
    sounds: Path = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
    """Folder of `.g722`, `.wav`, `.gsm` or `.ulaw` files: whichever package is installed."""
    transcripts: Path = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
    """The packages' list of transcripts."""
    test_fraction: Fraction = 0.1
    """Share of the prompts that is held out, by wording."""
    valid_prompts: PositiveInt = 20
    """Wordings for validation."""
    seed: Seed = 1
    """Seed of the choice of held-out prompts."""
    shared_speakers: bool = True
    """One speaker: wordings are held out, not voices."""
    licence: str = "CC-BY-SA-3.0"
    """Licence of the audio."""

    @property
    def test_splits(self) -> set[str]:
        """One of wordings never heard."""
        return {"test_prompts"}


class OwnCorpus(CorpusBase):
    """What all readers of one's own data have."""

    room: ClassVar[str] = "own"
    path: Path
    """Folder of the corpus; files outside are not read."""
    language: Language | None = None
    """Language of rows that name none; none: those are set aside."""
    languages: dict[str, Language] = {}
    """Language here, by what the data call it (cmn: zh)."""
    split: Name = "train"
    """Split of rows that name none."""


class Fields(Section):
    """Names of the columns or keys that a row's values are taken from; those that are absent count as empty."""

    id: str = "id"
    """Id of the utterance, unique in the corpus; where absent, its place."""
    text: str = "text"
    """Transcript."""
    language: str = "language"
    """Language."""
    speaker: str = "speaker"
    """Speaker."""
    split: str = "split"
    """train, valid, or the name of a test set."""
    duration: str = "duration"
    """Length in seconds; where absent, the audio is asked."""


class FolderCorpus(OwnCorpus):
    """Your own corpus: a folder of audio and a table, TSV with a header line or JSONL."""

    reader: Literal["folder"]
    table: Path = Path("utterances.tsv")
    """Table inside the folder, `.jsonl` or else TSV: audio, text, language; optional: id, speaker, split."""


class KaldiCorpus(OwnCorpus):
    """Your own corpus: a Kaldi data folder (wav.scp, text; optional: segments, utt2spk, utt2dur, utt2lang)."""

    reader: Literal["kaldi"]
    audio: Path | None = None
    """Folder that audio must lie in, and relative paths of wav.scp start from; none: `path`."""


class LhotseCutsCorpus(OwnCorpus):
    """Your own corpus: lhotse CutSets (JSONL, plain or gzip) over audio files, or Shar folders."""

    reader: Literal["lhotse_cuts"]
    files: str = "**/*cuts*.jsonl*"
    """Pattern of the CutSets below `path`."""
    audio: Path | None = None
    """Folder that audio must lie in, and relative paths start from; none: `path`."""
    text: str = "text"
    """Key of a supervision, or of its custom fields, that holds the transcript."""


class HfParquetCorpus(OwnCorpus):
    """Your own corpus: Parquet files with audio bytes, as Hugging Face datasets store them."""

    reader: Literal["hf_parquet"]
    files: str = "**/*.parquet"
    """Pattern of the files below `path`."""
    audio: str = "audio"
    """Column of audio bytes: binary, or a struct with a field `bytes`."""
    columns: Fields = Fields()


class WebdatasetCorpus(OwnCorpus):
    """Your own corpus: WebDataset tars of KEY.flac (wav, mp3, opus, ogg, m4a) with KEY.json or KEY.txt."""

    reader: Literal["webdataset"]
    files: str = "**/*.tar*"
    """Pattern of the tars below `path`."""
    keys: Fields = Fields()


class PublicCorpus(CorpusBase):
    """A public corpus in the folder layout that it was published in; `config/corpora.tsv` lists them."""

    room: ClassVar[str] = "public"
    reader: Literal[
        "aishell",
        "aishell2",
        "aishell_2021_eval",
        "ascend",
        "common_voice",
        "cs_dialogue",
        "emilia",
        "fleurs",
        "gigaspeech",
        "kespeech",
        "libriheavy",
        "librispeech",
        "mls",
        "msr_86k",
        "peoples_speech",
        "spgispeech",
        "tedlium",
        "vctk",
        "voxpopuli",
        "wenetspeech",
        "wenetspeech_chuan",
        "wenetspeech_yue",
        "yodas_granary",
    ]
    """Module of `earmark.corpora` that knows the layout."""
    path: Path
    """Folder of the corpus, unpacked as published (what lies in it: docs/corpora.md)."""
    subsets: list[Name] = []
    """Parts to read, by the corpus's own names (train-clean-100, M, zh-CN, ...); none: all that are there."""


Corpus = Annotated[
    SyntheticCorpus
    | HskWordsCorpus
    | SpokenDigitsCorpus
    | AsteriskPromptsCorpus
    | FolderCorpus
    | KaldiCorpus
    | LhotseCutsCorpus
    | HfParquetCorpus
    | WebdatasetCorpus
    | PublicCorpus,
    Field(discriminator="reader"),
]
