"""Which fields there are at a place of a body, for those who misspelled one."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from typing_extensions import TypeAliasType

MAX_NAMED = 20  # fields in one sentence; a longer list is left out
LIKENESS = 0.7  # of the nearest name: `qubit` is not meant to be `clbit`

Models = list[type[BaseModel]]


def unknown_field(annotation: Any, path: Sequence[str | int]) -> str:
    """What to say of the last part of a validation error's location, a field that is not there.

    annotation: the type of the body. path: as pydantic gives it, the tags of unions included.
    """
    *above, last = path
    name = str(last)
    models = list(_models(annotation))
    for part in above:
        models = _below(models, part)
    fields: dict[str, list[Any]] = {}  # annotations by alias: several domains may have a field of one name
    for model in models:
        for alias, field in _fields(model).items():
            fields.setdefault(alias, []).append(field)
    sentence = "There is no such field here."
    if near := get_close_matches(name.lower(), fields, n=1, cutoff=LIKENESS):
        return f"{sentence} Did you mean `{near[0]}`?"
    homes = [
        alias
        for alias, annotations in fields.items()
        if any(name in _fields(model) for each in annotations for model in _models(each))
    ]
    if homes:
        return f"{sentence} It belongs into {' or '.join(f'`{home}`' for home in homes)}."
    return f"{sentence} Known: {', '.join(fields)}." if 0 < len(fields) <= MAX_NAMED else sentence


def _below(models: Models, part: str | int) -> Models:
    """The models at a part of a location: an index, a union's tag, or a field."""
    if isinstance(part, int):
        return models
    if len(models) > 1 and (tagged := [model for model in models if _is_tagged(model, part)]):
        return tagged
    inner = [each for model in models if part in _fields(model) for each in _models(_fields(model)[part])]
    return inner or models  # a tag that no field holds, or the key of a mapping


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    """The annotation of each field, by the name that a body gives it."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _is_tagged(model: type[BaseModel], tag: str) -> bool:
    return any(
        get_origin(field.annotation) is Literal and tag in get_args(field.annotation)
        for field in model.model_fields.values()
    )


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation names, through names of types, unions, lists and mappings."""
    if isinstance(annotation, TypeAliasType):
        yield from _models(annotation.__value__)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not Literal:
        for argument in get_args(annotation):
            yield from _models(argument)
