"""A model's folder out of its zip: the files that are data and that somebody reads, counted as they come.

What is not named here stays in the zip. Nothing of it is ever imported or unpickled.
"""

import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator
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
LENGTHS = ("sentence_bert_config.json", "tokenizer_config.json")
ROOT = frozenset({WEIGHTS, CONFIG, TOKENIZER, MODULES, *LENGTHS, "special_tokens_map.json"})
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


def unpacked(path: Path, into: Path) -> Folder:
    """The folder of a zip. into: a place that is not there yet.

    Raises Problem teacher_invalid, remote_code, pickled_weights and sharded_weights.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = dict(_members(archive))
            root = _root(members)
            inside = {place.relative_to(root): info for place, info in members.items() if place.is_relative_to(root)}
            notes = _refuse_unfit(inside)
            wanted = {place: info for place, info in inside.items() if _is_wanted(place)}
            _write(archive, wanted, into)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise invalid("The file is no whole zip of a model's folder, or it is encrypted.") from error
    except Unreadable as error:
        raise invalid(str(error)) from error
    return Folder(into, notes)


def _members(archive: zipfile.ZipFile) -> Iterator[tuple[PurePosixPath, zipfile.ZipInfo]]:
    if len(archive.infolist()) > MAX_MEMBERS:
        raise Unreadable(f"The archive has {len(archive.infolist()):,} members; a model's folder has some twenty.")
    for info in archive.infolist():
        parts = parts_of(info)
        if not is_folder(info) and not is_litter(parts):
            yield PurePosixPath(*parts), info


def _root(members: Iterable[PurePosixPath]) -> PurePosixPath:
    """The folder in which the model is: the one that holds its modules or its configuration, nearest to the top."""
    found = sorted((place for place in members if place.name in (MODULES, CONFIG)), key=_depth_and_name)
    if not found:
        raise invalid(f"There is no config.json in the archive. Zip the folder that comes from {SAVE}.")
    return found[0].parent


def _depth_and_name(place: PurePosixPath) -> tuple[int, bool, str]:
    return len(place.parts), place.name != MODULES, str(place)


def _refuse_unfit(members: Iterable[PurePosixPath]) -> tuple[str, ...]:
    """Notes on what is left out. Raises Problem for what would have to be run, and for weights in several files."""
    names = sorted(map(str, members))
    if code := [name for name in names if name.endswith((".py", ".pyc", ".so"))]:
        raise remote_code(f"The folder holds programs ({quoted(code[0])}).")
    pickles = [name for name in names if name.endswith(PICKLES)]
    if any(name.startswith("model-0") or name == f"{WEIGHTS}.index.json" for name in names):
        way = {"note": 'model.save_pretrained("FOLDER", max_shard_size="100GB") writes one file'}
        title = f"The weights are in several files; one {WEIGHTS} is read."
        raise Problem("sharded_weights", title, pointer="/file", ways_out=[way])
    if WEIGHTS not in names:
        if not pickles:
            raise invalid(f"There is no {WEIGHTS} in the folder. Zip what comes from {SAVE}.")
        way = {"note": f"{SAVE}, with a version of today, writes {WEIGHTS}"}
        title = f"The weights are a pickle ({quoted(pickles[0])}), which is a program; {WEIGHTS} is read."
        raise Problem("pickled_weights", title, pointer="/file", ways_out=[way])
    if not pickles:
        return ()
    return (f"Beside {WEIGHTS} there is a pickle ({quoted(pickles[0])}), which nobody opened.",)


def remote_code(title: str) -> Problem:
    """Of a folder whose model is a program of its maker's."""
    way = {"note": "use a model of one of the kinds that `transformers` itself has"}
    title = f"{title} Code that comes with a model is never run here."
    return Problem("remote_code", title, pointer="/file", ways_out=[way])


def _is_wanted(place: PurePosixPath) -> bool:
    return str(place) in ROOT if len(place.parts) == 1 else len(place.parts) == 2 and place.name in BELOW


def _write(archive: zipfile.ZipFile, wanted: dict[PurePosixPath, zipfile.ZipInfo], into: Path) -> None:
    total = 0
    for place, info in wanted.items():
        most = MAX_TEACHER_BYTES if place.name == WEIGHTS else MAX_JSON_BYTES
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
