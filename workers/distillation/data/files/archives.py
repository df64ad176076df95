"""Names of an archive's members: where they lead, and which of them nobody put there on purpose."""

import zipfile

from qstill.contract.tables.bounds import Unreadable
from qstill.contract.tables.cells import is_number

LITTER = frozenset({"__macosx", "@eadir", "thumbs.db", "ehthumbs.db", "desktop.ini"})  # of file managers, whatever case


def parts_of(info: zipfile.ZipInfo) -> list[str]:
    """The folders and the name of a member, whichever slash its packer wrote. Raises Unreadable where it leads out."""
    name = info.orig_filename.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or "\0" in name or ".." in parts or name[1:2] == ":" or not parts:
        raise Unreadable(f"Member {quoted(info.orig_filename)} has a name that leads out of the archive.")
    return parts


def is_folder(info: zipfile.ZipInfo) -> bool:
    """Whether a member is a folder, also as Windows writes one."""
    return info.is_dir() or info.orig_filename.endswith("\\")


def is_litter(parts: list[str]) -> bool:
    """Whether a member is what file managers leave behind, or hidden; `.5` is the folder of a class."""
    return any(part.lower() in LITTER or (part[0:1] == "." and part != ".." and not is_number(part)) for part in parts)


def quoted(name: str) -> str:
    """A member's name in a sentence."""
    return repr(name if len(name) <= 100 else f"…{name[-99:]}")
