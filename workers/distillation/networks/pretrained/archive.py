"""A model's folder out of its zip: the files that are data and that somebody reads, counted as they come.

What is not named here stays in the zip. Nothing of it is ever imported or unpickled.
"""

import json
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from qstill.contract.errors import Problem
from qstill.contract.tables.bounds import Unreadable
from workers.distillation.artifacts.checkpoints import MAX_TEACHER_BYTES, invalid
from workers.distillation.data.files.archives import is_folder, is_litter, parts_of, quoted

MAX_MEMBERS = 1_000  # a folder has some twenty; each is looked at
MAX_JSON_BYTES = 64 << 20  # the tokenizers of a hundred languages have 17 MB
BLOCK = 1 << 20

WEIGHTS, CONFIG, TOKENIZER, MODULES = "model.safetensors", "config.json", "tokenizer.json", "modules.json"
INDEX = f"{WEIGHTS}.index.json"  # of weights in several files: which tensor is in which of them
SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")
ONNX = "model.onnx"
LENGTHS = ("sentence_bert_config.json", "tokenizer_config.json")
CARD = "qstill.json"  # of a folder that was made here: on what it was trained
ROOT = frozenset({WEIGHTS, INDEX, CARD, CONFIG, TOKENIZER, MODULES, *LENGTHS, "special_tokens_map.json"})
BELOW = frozenset({WEIGHTS, CONFIG})  # of a module of sentence-transformers, in a folder of its own
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
SAVE = 'SentenceTransformer("NAME").save("FOLDER"), or save_pretrained("FOLDER") of model and tokenizer'


@dataclass(frozen=True)
class Folder:
    """An unpacked one. notes: what was left out that a reader may miss."""

    path: Path
    notes: tuple[str, ...] = ()

    def has(self, name: str) -> bool:
        """Whether such a file came with it."""
        return (self.path / name).is_file()

    @property
    def weights(self) -> list[str]:
        """The safetensors files of its model, one or several; none where it is an ONNX."""
        if self.has(WEIGHTS):
            return [WEIGHTS]
        return sorted(each.name for each in self.path.iterdir() if SHARD.fullmatch(each.name))

    def text(self, name: str) -> str:
        """A file of text. Raises Problem teacher_invalid."""
        try:
            return (self.path / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise invalid(f"{name} is missing from the folder, or no text.") from None


def is_zip(path: Path) -> bool:
    """Whether a file begins as an archive does: a folder, where a safetensors file is the other choice."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def unpacked(path: Path, into: Path, *, onnx: bool = False) -> Folder:
    """The folder of a zip. into: a place that is not there yet. onnx: whether one will do in place of weights; it is
    `model.onnx` then, whatever its name was.

    Raises Problem teacher_invalid, remote_code and pickled_weights.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = dict(_members(archive))
            root = _root(members, onnx=onnx)
            inside = {place.relative_to(root): info for place, info in members.items() if place.is_relative_to(root)}
            graph = _graph(inside) if onnx else None
            notes = _refuse_unfit(inside, graph)
            wanted = {place: info for place, info in inside.items() if _is_wanted(place)}
            if graph is not None:
                wanted[PurePosixPath(ONNX)] = inside[graph]
            _write(archive, wanted, into)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise invalid("The file is no whole zip of a model's folder, or it is encrypted.") from error
    except Unreadable as error:
        raise invalid(str(error)) from error
    folder = Folder(into, notes)
    _refuse_missing_shards(folder)
    return folder


def _members(archive: zipfile.ZipFile) -> Iterator[tuple[PurePosixPath, zipfile.ZipInfo]]:
    if len(archive.infolist()) > MAX_MEMBERS:
        raise Unreadable(f"The archive has {len(archive.infolist()):,} members; a model's folder has some twenty.")
    for info in archive.infolist():
        parts = parts_of(info)
        if not is_folder(info) and not is_litter(parts):
            yield PurePosixPath(*parts), info


def _root(members: Iterable[PurePosixPath], *, onnx: bool) -> PurePosixPath:
    """The folder in which the model is: the one that holds its modules or its configuration, nearest to the top.

    onnx: whether a tokenizer alone may mark it.
    """
    members = list(members)
    found = sorted((place for place in members if place.name in (MODULES, CONFIG)), key=_depth_and_name)
    if not found and onnx:
        found = sorted((place for place in members if place.name == TOKENIZER), key=_depth_and_name)
    if not found:
        beside = f", and no {TOKENIZER} beside which an ONNX could lie" if onnx else ""
        raise invalid(f"There is no {CONFIG} in the archive{beside}. Zip the folder that comes from {SAVE}.")
    return found[0].parent


def _depth_and_name(place: PurePosixPath) -> tuple[int, bool, str]:
    return len(place.parts), place.name != MODULES, str(place)


def _graph(members: Iterable[PurePosixPath]) -> PurePosixPath | None:
    """The ONNX of a folder without weights, at its top or in `onnx`; None where there are weights, or no ONNX."""
    members = list(members)
    if any(len(place.parts) == 1 and (place.name == WEIGHTS or SHARD.fullmatch(place.name)) for place in members):
        return None
    found = [
        place
        for place in members
        if place.suffix == ".onnx" and (len(place.parts) == 1 or (len(place.parts) == 2 and place.parts[0] == "onnx"))
    ]
    named = [place for place in found if place.name == ONNX] or found
    if len(named) > 1:
        names = ", ".join(quoted(str(place)) for place in named[:4])
        raise invalid(
            f"The folder has several ONNX models ({names}); leave the one that shall teach, or call it {ONNX}."
        )
    return named[0] if named else None


def _refuse_unfit(members: Iterable[PurePosixPath], graph: PurePosixPath | None) -> tuple[str, ...]:
    """Notes on what is left out. Raises Problem for what would have to be run, and where there is no model."""
    names = sorted(map(str, members))
    if code := [name for name in names if name.endswith((".py", ".pyc", ".so"))]:
        raise remote_code(f"The folder holds programs ({quoted(code[0])}).")
    pickles = [name for name in names if name.endswith(PICKLES)]
    if graph is None and not any(name == WEIGHTS or SHARD.fullmatch(name) for name in names):
        if not pickles:
            raise invalid(f"There is no {WEIGHTS} in the folder. Zip what comes from {SAVE}.")
        way = {"note": f"{SAVE}, with a version of today, writes {WEIGHTS}"}
        title = f"The weights are a pickle ({quoted(pickles[0])}), which is a program; {WEIGHTS} is read."
        raise Problem("pickled_weights", title, pointer="/file", ways_out=[way])
    if not pickles:
        return ()
    return (f"Beside {graph or WEIGHTS} there is a pickle ({quoted(pickles[0])}), which nobody opened.",)


def _refuse_missing_shards(folder: Folder) -> None:
    """Raise Problem teacher_invalid where weights in several files are not all there."""
    there = folder.weights
    if there == [WEIGHTS] or not there:
        return
    wanted = _indexed(folder)
    if missing := sorted(set(wanted) - set(there)):
        title = f"The weights are in several files, and {quoted(missing[0])} of them is missing. Zip the whole folder"
        raise invalid(f'{title}, or write one: save_pretrained("FOLDER", max_shard_size="100GB").')


def _indexed(folder: Folder) -> Sequence[str]:
    """The files that an index names. Raises Problem teacher_invalid."""
    if not folder.has(INDEX):
        raise invalid(f"The weights are in several files, and {INDEX}, which says where each tensor is, is missing.")
    try:
        named = list(json.loads(folder.text(INDEX))["weight_map"].values())
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        named = []
    if not named or not all(isinstance(name, str) and SHARD.fullmatch(name) for name in named):
        raise invalid(f"{INDEX} does not say in which files the tensors are.")
    return named


def remote_code(title: str) -> Problem:
    """Of a folder whose model is a program of its maker's."""
    way = {"note": "use a model of one of the kinds that `transformers` itself has"}
    title = f"{title} Code that comes with a model is never run here."
    return Problem("remote_code", title, pointer="/file", ways_out=[way])


def _is_wanted(place: PurePosixPath) -> bool:
    if len(place.parts) == 1:
        return place.name in ROOT or SHARD.fullmatch(place.name) is not None
    return len(place.parts) == 2 and place.name in BELOW


def _write(archive: zipfile.ZipFile, wanted: dict[PurePosixPath, zipfile.ZipInfo], into: Path) -> None:
    total = 0
    for place, info in wanted.items():
        most = MAX_JSON_BYTES if place.suffix == ".json" else MAX_TEACHER_BYTES
        target = into / place
        target.parent.mkdir(parents=True, exist_ok=True)
        size = 0
        with archive.open(info) as source, target.open("wb") as file:
            while block := source.read(BLOCK):
                size, total = size + len(block), total + len(block)
                if size > most or total > MAX_TEACHER_BYTES:
                    shutil.rmtree(into, ignore_errors=True)
                    raise Unreadable(f"{quoted(str(place))} unpacks to more than {most >> 20:,} MiB.")
                file.write(block)
