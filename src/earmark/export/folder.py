"""`earmark export`: a finished run as a folder that transformers loads by itself, and its CTC head in `ctc/` of it.

    config.json generation_config.json model.safetensors        the model (shards, where it is large)
    modeling_earmark.py ...                                     its code: see `hub`
    preprocessor_config.json processor_config.json              features and instruction
    tokenizer.json tokenizer_config.json chat_template.jinja    the language model's
    README.md                                                   the model card: see `card`
    ctc/                                                        the same for encoder and CTC head, with
        phones.txt model.onnx                                   the inventory, and the graph

The same run gives the same bytes.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import torch

from earmark.decode.recognize import SPARE_TOKENS, PhoneRecognizer, Recognizer
from earmark.decode.transcribe import Run
from earmark.export.card import ctc_card, speech_llm_card
from earmark.export.graph import write_onnx
from earmark.export.sources import copy_sources
from earmark.io import new_folder, write_json, write_text
from earmark.models.build import N_MELS
from earmark.models.llm import SPEECH
from earmark.text.inventory import BLANK, PACKAGED

CTC = "ctc"
SHARD_SIZE = "5GB"


class Exported(NamedTuple):
    """What was written."""

    parameters: int
    """Of the speech LLM."""
    ctc_parameters: int | None
    """Of encoder and CTC head; None where the run has no CTC head."""
    difference: float | None
    """Largest difference of a log-probability between the ONNX graph and torch."""


def export(run: Run, folder: Path) -> Exported:
    """Write `folder`, which may not be there yet, whole or not at all.

    :raises UserError: the folder is not empty, the run is not finished or damaged, or the graph differs from torch.
    """
    with new_folder(folder) as new:
        recognizer = run.recognizer()
        parameters = _speech_llm(run, recognizer, new)
        phones = run.phone_recognizer()
        if phones is None:
            return Exported(parameters, None, None)
        (new / CTC).mkdir()
        return Exported(parameters, *_ctc(run, phones, new / CTC))


def _speech_llm(run: Run, recognizer: Recognizer, folder: Path) -> int:
    model, tokenizer = recognizer.model, recognizer.tokenizer
    text = {key: value for key, value in model.llm.config.to_dict().items() if key not in _LEFT_OUT}
    _write_config(
        folder,
        {
            "model_type": "earmark",
            "architectures": ["EarmarkForConditionalGeneration"],
            "auto_map": {
                "AutoConfig": "configuration_earmark.EarmarkConfig",
                "AutoModel": "modeling_earmark.EarmarkForConditionalGeneration",
                "AutoModelForSpeechSeq2Seq": "modeling_earmark.EarmarkForConditionalGeneration",
            },
            "encoder": _encoder(run),
            "downsample": run.config.adaptor.downsample,
            "text_config": text,
            "speech_token_id": tokenizer.convert_tokens_to_ids(SPEECH),
            "tokens_per_second": run.config.decoding.tokens_per_second,
            "spare_tokens": SPARE_TOKENS,
            "tie_word_embeddings": text["tie_word_embeddings"],
        },
    )
    end = tokenizer.eos_token_id
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else end
    beams = run.config.decoding.beams
    write_json(
        folder / "generation_config.json",
        {"do_sample": False, "early_stopping": False, "eos_token_id": end, "num_beams": beams, "pad_token_id": pad},
    )
    copy_sources(["modeling_earmark", "feature_extraction_earmark", "processing_earmark"], folder)
    tokenizer.save_pretrained(folder)
    _forget_places(folder / "tokenizer_config.json")
    _write_processor(
        run,
        folder,
        "processing_earmark.EarmarkProcessor",
        {"prompt": run.config.prompt, "speech_token": SPEECH, "downsample": run.config.adaptor.downsample},
    )
    parts = {"encoder": model.encoder, "adaptor": model.adaptor, "language_model": model.llm}
    files = _write_weights(folder, parts, {"language_model.lm_head.weight"} if text["tie_word_embeddings"] else set())
    write_text(folder / "README.md", speech_llm_card(run, parts, files))
    return sum(parameter.numel() for parameter in model.parameters())


def _ctc(run: Run, phones: PhoneRecognizer, folder: Path) -> tuple[int, float]:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    _write_config(
        folder,
        {
            "model_type": "earmark_ctc",
            "architectures": ["EarmarkForCTC"],
            "auto_map": {
                "AutoConfig": "configuration_earmark.EarmarkCTCConfig",
                "AutoModel": "modeling_earmark_ctc.EarmarkForCTC",
                "AutoModelForCTC": "modeling_earmark_ctc.EarmarkForCTC",
            },
            "encoder": _encoder(run),
            "vocab_size": len(phones.inventory),
            "pad_token_id": 0,
        },
    )
    copy_sources(["modeling_earmark_ctc", "feature_extraction_earmark", "processing_earmark_ctc"], folder)
    tokenizer = Tokenizer(models.WordLevel({phone: number for number, phone in enumerate(phones.inventory.phones)}))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=BLANK).save_pretrained(folder)
    _forget_places(folder / "tokenizer_config.json")
    _write_processor(run, folder, "processing_earmark_ctc.EarmarkCTCProcessor", {})
    text = run.config.text
    (folder / "phones.txt").write_bytes((text.inventory or PACKAGED[text.targets]).read_bytes())
    parts = {"encoder": phones.encoder, "ctc_head": phones.head}
    files = _write_weights(folder, parts, set())
    difference = write_onnx(phones.encoder, phones.head, folder / "model.onnx")
    files += sorted(folder.glob("model.onnx*"))
    write_text(folder / "README.md", ctc_card(run, phones.inventory, parts, files))
    return sum(parameter.numel() for part in parts.values() for parameter in part.parameters()), difference


_LEFT_OUT = {
    *("_name_or_path", "transformers_version", "architectures", "dtype"),  # of where and how it was read
    *("id2label", "label2id", "problem_type", "chunk_size_feed_forward", "is_encoder_decoder", "return_dict"),
    *("output_attentions", "output_hidden_states"),  # what every model has, and this one does not use
}
"""Entries of the language model's configuration that an exported one lacks; all others stay, defaults as well."""


def _write_config(folder: Path, values: dict[str, Any]) -> None:
    write_json(folder / "config.json", values | {"dtype": "float32"})


def _encoder(run: Run) -> dict[str, Any]:
    """Arguments of `ConformerEncoder`."""
    return {"n_mels": N_MELS} | run.config.encoder.model_dump(
        include={"n_layers", "n_heads", "d_model", "kernel_size", "dropout"}
    )


def _write_processor(run: Run, folder: Path, processor: str, values: dict[str, Any]) -> None:
    extractor = "feature_extraction_earmark.EarmarkFeatureExtractor"
    shared = {
        "auto_map": {"AutoFeatureExtractor": extractor, "AutoProcessor": processor},
        "processor_class": processor.partition(".")[2],
    }
    write_json(folder / "processor_config.json", shared | values)
    write_json(
        folder / "preprocessor_config.json",
        shared
        | {
            "feature_extractor_type": extractor.partition(".")[2],
            "feature_size": N_MELS,
            "sampling_rate": 16_000,
            "padding_value": 0.0,
            "trim_silence": run.trim,
            "min_seconds": run.config.shards.min_seconds,
            "max_seconds": run.config.shards.max_seconds,
            "mean": run.normalisation.mean.tolist(),
            "deviation": run.normalisation.deviation.tolist(),
            "level": run.normalisation.level and run.normalisation.level._asdict(),
        },
    )


def _forget_places(path: Path) -> None:
    """Leave out of a tokenizer's settings where its files lay, and how they were read."""
    values = json.loads(path.read_text(encoding="utf-8"))
    for key in ("name_or_path", "is_local", "local_files_only"):
        values.pop(key, None)
    write_json(path, dict(sorted(values.items())))


def _write_weights(folder: Path, parts: dict[str, torch.nn.Module], left_out: set[str]) -> list[Path]:
    """Write all tensors, those of a part under its name, as safetensors of at most `SHARD_SIZE`; the files."""
    from huggingface_hub import split_torch_state_dict_into_shards
    from safetensors.torch import save_file

    tensors = {
        f"{part}.{name}": tensor.detach().contiguous()
        for part, module in parts.items()
        for name, tensor in module.state_dict().items()
        if f"{part}.{name}" not in left_out
    }
    split = split_torch_state_dict_into_shards(tensors, max_shard_size=SHARD_SIZE)
    for file, names in split.filename_to_tensors.items():
        save_file({name: tensors[name] for name in names}, folder / file, metadata={"format": "pt"})
    if split.is_sharded:
        index = {"metadata": split.metadata, "weight_map": split.tensor_to_filename}
        write_json(folder / "model.safetensors.index.json", index)
    return [folder / file for file in split.filename_to_tensors]
