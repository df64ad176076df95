"""Folders that are refused before anything of them is loaded: early, cheaply, and in words."""

import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from qstill.contract.errors import Problem
from tests.testing.folders import WORDS, changed, plain, sharded, zipped
from workers.distillation.networks.pretrained.archive import INDEX, MAX_MEMBERS, unpacked
from workers.distillation.networks.pretrained.config import sizes_of
from workers.distillation.networks.pretrained.folder import opened

MEMORY = 1 << 30


def refusal(content: dict[str, bytes] | bytes, scratch: Path) -> Problem:
    path = scratch / "model.zip"
    path.write_bytes(content if isinstance(content, bytes) else zipped(content))
    loaded = {name for name in sys.modules if name.startswith("transformers")}
    with pytest.raises(Problem) as refused:
        opened(path, scratch, memory=MEMORY)
    assert {name for name in sys.modules if name.startswith("transformers")} == loaded  # not even imported for it
    return refused.value


def without(content: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {each: bytes_ for each, bytes_ in content.items() if each != name}


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (plain() | {"modeling_mine.py": b"import os"}, "remote_code", "modeling_mine.py"),
        (changed(plain(), auto_map={"AutoModel": "mine--modeling.Mine"}), "remote_code", "auto_map"),
        (changed(plain(), model_type="my_own"), "encoder_unknown", "my_own"),
        (changed(plain(), model_type=["bert"]), "encoder_unknown", "bert"),
        (changed(plain(), hidden_size=8192, num_hidden_layers=200), "needs_more_memory", "as config.json"),
        (changed(plain(), vocab_size=9_000_000, hidden_size=2048), "needs_more_memory", "MiB"),
        (changed(plain(), num_hidden_layers=10**6), "teacher_invalid", "num_hidden_layers"),
        (changed(plain(), num_hidden_layers=True), "teacher_invalid", "num_hidden_layers"),
        (changed(plain(), hidden_size=30), "teacher_invalid", "evenly"),
        (changed(plain(), vocab_size=len(WORDS) - 1), "tokenizer_mismatch", "another model"),
        (plain() | {"tokenizer.json": b"{}"}, "tokenizer_invalid", "tokenizers"),
        (plain() | {"config.json": b"[1]"}, "teacher_invalid", "no JSON object"),
        (plain() | {"config.json": b"\xff\xfe"}, "teacher_invalid", "no text"),
        (without(sharded(plain()), "model-00001-of-00002.safetensors"), "teacher_invalid", "00001-of-00002"),
        (without(sharded(plain()), INDEX), "teacher_invalid", INDEX),
        (sharded(plain()) | {INDEX: b'{"weight_map": {"x": "../../etc/passwd"}}'}, "teacher_invalid", INDEX),
        (sharded(plain()) | {INDEX: b'{"weight_map": []}'}, "teacher_invalid", INDEX),
        (changed(plain(), type_vocab_size=10**7), "teacher_invalid", "type_vocab_size"),
        (changed(plain(), num_labels=10**9), "teacher_invalid", "num_labels"),
        (
            plain() | {"modules.json": b'[{"type": "a.Transformer", "path": "../.."}]'},
            "teacher_invalid",
            "modules.json",
        ),
        ({"readme.md": b"a model"}, "teacher_invalid", "config.json"),
        (b"no archive", "teacher_invalid", "no whole zip"),
    ],
)
def test_a_folder_that_cannot_teach_is_named_with_its_reason(
    content: dict[str, bytes] | bytes, code: str, said: str, tmp_path: Path
) -> None:
    problem = refusal(content, tmp_path)
    assert problem.code == code
    assert problem.pointer == "/file"
    assert said.lower() in problem.title.lower()


@pytest.mark.parametrize("missing", ["tokenizer.json", "model.safetensors"])
def test_a_part_that_is_missing_is_named(missing: str, tmp_path: Path) -> None:
    problem = refusal({name: each for name, each in plain().items() if name != missing}, tmp_path)
    assert missing in problem.title


def test_weights_that_are_a_pickle_alone_are_refused_with_the_command_that_writes_others(tmp_path: Path) -> None:
    content = plain() | {"pytorch_model.bin": b"\x80\x04"}
    del content["model.safetensors"]
    problem = refusal(content, tmp_path)
    assert problem.code == "pickled_weights"
    assert "save_pretrained" in json.dumps(problem.document())


def test_a_pickle_beside_the_weights_stays_in_the_zip_and_is_said(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    path.write_bytes(zipped(plain() | {"pytorch_model.bin": b"\x80\x04", "onnx/model.onnx": b"x"}))
    folder = unpacked(path, tmp_path / "out")
    assert "pytorch_model.bin" in folder.notes[0]
    assert {each.name for each in (tmp_path / "out").rglob("*") if each.is_file()} == set(plain())


@pytest.mark.parametrize("name", ["../config.json", "/etc/config.json", "C:\\config.json", "a/../../config.json"])
def test_a_name_that_leads_out_of_the_archive_is_refused(name: str, tmp_path: Path) -> None:
    assert "leads out" in refusal(zipped(plain() | {name: b"{}"}, below=""), tmp_path).title


def test_an_archive_of_more_than_it_seems_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("workers.distillation.networks.pretrained.archive.MAX_JSON_BYTES", 1 << 20)
    problem = refusal(plain() | {"tokenizer.json": bytes(1 << 22)}, tmp_path)
    assert "unpacks to more" in problem.title
    assert not list(tmp_path.glob("folder-*"))


def test_an_archive_of_thousands_is_not_looked_through(tmp_path: Path) -> None:
    many: dict[str, Any] = {f"{number}.txt": b"" for number in range(MAX_MEMBERS + 1)}
    assert "members" in refusal(plain() | many, tmp_path).title


def test_what_lies_about_its_size_is_damaged(tmp_path: Path) -> None:
    written = io.BytesIO(zipped(plain()))
    with zipfile.ZipFile(written) as archive:
        place = archive.getinfo("my-model/config.json").header_offset
    content = bytearray(written.getvalue())
    content[place + 60 : place + 70] = b"\xff" * 10
    assert refusal(bytes(content), tmp_path).code == "teacher_invalid"


def test_the_weights_that_a_config_speaks_of_are_counted_to_a_per_cent(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"  # MiniLM-L6: 22,713,216 weights, of which its pooler has 147,840
    config = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
    path.write_bytes(zipped(changed(plain(), **config, vocab_size=30522, max_position_embeddings=512)))
    counted = sizes_of(unpacked(path, tmp_path / "out")).parameters
    assert counted == pytest.approx(22_713_216 - 147_840, rel=0.01)


def test_the_onnx_of_a_folder_is_taken_where_it_has_no_weights_and_one_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    path.write_bytes(zipped(without(plain(), "model.safetensors") | {"onnx/small.onnx": b"x"}))
    assert unpacked(path, tmp_path / "out", onnx=True).has("model.onnx")
    with pytest.raises(Problem, match=r"model\.safetensors"):
        unpacked(path, tmp_path / "other")
    path.write_bytes(zipped({"tokenizer.json": b"{}", "my.onnx": b"x"}))
    assert unpacked(path, tmp_path / "bare", onnx=True).has("model.onnx")
    path.write_bytes(zipped(plain() | {"a.onnx": b"x", "b.onnx": b"x"}))
    assert not unpacked(path, tmp_path / "whole", onnx=True).has("model.onnx")
    path.write_bytes(zipped({"tokenizer.json": b"{}", "a.onnx": b"x", "b.onnx": b"x"}))
    with pytest.raises(Problem, match="several ONNX"):
        unpacked(path, tmp_path / "two", onnx=True)
