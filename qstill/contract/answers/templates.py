"""How a template is shown."""

from typing import Any

from pydantic import Field, JsonValue

from qstill.contract.schemas import View


class TemplateView(View):
    """A circuit with a known answer, explained."""

    name: str = Field(description="What a body calls it.", examples=["grover"])
    title: str = Field(description="What people call it.", examples=["Grover's search"])
    explanation: str = Field(
        description="For a reader who knows linear algebra but not this algorithm.",
        examples=["Two reflections, about the marked states and about the mean, turn the state towards the marked."],
    )
    reference: str = Field(description="Where to read more.", examples=["Grover 1996, arXiv:quant-ph/9605043"])
    known_answer: str = Field(
        description="What theory says will be found.", examples=["A marked string, with probability sin²((2k+1)θ)."]
    )
    parameters: dict[str, Any] = Field(
        description="The JSON schema of the template's parameters.", examples=[{"type": "object"}]
    )
    example: dict[str, JsonValue] = Field(
        description="A body for `POST /v1/circuits`.",
        examples=[{"circuit": {"format": "template", "template": {"name": "grover"}}, "shots": 1000}],
    )
