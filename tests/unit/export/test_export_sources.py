"""The code of an exported folder: this package's own files, and nothing that they do not need."""

import ast
import sys

import pytest

from earmark.export.sources import HUB, closure, exported

ENTRIES = [
    "modeling_earmark",
    "modeling_earmark_ctc",
    "feature_extraction_earmark",
    "processing_earmark",
    "processing_earmark_ctc",
]
FILES = closure([f"{HUB}.{entry}" for entry in ENTRIES])


def test_one_source_is_copied_with_all_that_it_imports() -> None:
    assert {"earmark.models.encoder", "earmark.models.kernels", "earmark.audio.fbank"} <= FILES.keys()
    stems = [name.rpartition(".")[2] for name in FILES]
    assert len(set(stems)) == len(stems)  # they lie in one folder


@pytest.mark.parametrize("name", FILES)
def test_exported_file_needs_torch_numpy_and_transformers_only(name: str) -> None:
    stems = {name.rpartition(".")[2] for name in FILES}
    tree = ast.parse(exported(name, FILES[name]))
    tried = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.Try) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            assert (node.level, node.module in stems) == (1, True)
        elif isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in tried:
            names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            for top in {(one or "").split(".")[0] for one in names}:
                assert top in {"torch", "numpy", "transformers"} | set(sys.stdlib_module_names), top


def test_imports_inside_functions_are_followed_and_rewritten() -> None:
    text = "def f():\n    from earmark.models.encoder import ConformerEncoder\n"
    assert exported("earmark.x", text).endswith("def f():\n    from .encoder import ConformerEncoder\n")
