"""What every part of a report is."""

from typing import Any, get_args

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from qstill.contract.schemas import View


class ReportPart(View):
    """An answer body. Where a field has fields itself, their examples together are its own."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        shown = handler.resolve_ref_schema(schema).get("properties", {})
        for name, field in cls.model_fields.items():
            if not field.examples:
                shown[field.alias or name]["examples"] = [_example(field.annotation)]
        return schema


def _example(annotation: Any) -> Any:
    """Of what is annotated so: the first of its kinds that has fields."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {
            field.alias or name: field.examples[0] if field.examples else _example(field.annotation)
            for name, field in annotation.model_fields.items()
        }
    kinds = get_args(annotation)
    return [_example(kinds[0])] if getattr(annotation, "__origin__", None) is list else _example(kinds[0])
