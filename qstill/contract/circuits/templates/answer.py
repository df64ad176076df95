"""What a template's counts say, beside what theory says."""

from pydantic import Field, JsonValue

from qstill.contract.schemas import View


class Answer(View):
    """The answer that was read from the counts, the one that theory gives, and whether they agree."""

    summary: str = Field(
        description="What was found, in a sentence.", examples=["Both qubits read the same in 1,000 of 1,000 shots."]
    )
    found: JsonValue = Field(description="The answer, from the counts.", examples=[{"correlation": 1.0}])
    expected: JsonValue = Field(
        description="The answer from theory, computed when the job ran.", examples=[{"correlation": 1.0}]
    )
    agrees: bool = Field(
        description="Whether the counts are what theory says, by `criterion`. Noise may well make it false.",
        examples=[True],
    )
    criterion: str = Field(
        description="When found and expected are said to agree.",
        examples=["The counts fit the theoretical distribution: `p_combined` is at least 5.7e-07 (5 sigma)."],
    )
    figures: dict[str, JsonValue] = Field(
        description="Everything else worth plotting: probabilities, energies in hartree, curves as lists. "
        "`p_chi_square` is the p-value of `chi_square`; `p_binomial` that of how many shots read one of the less "
        "probable outcomes; `p_combined` the smaller of the two, doubled because there are two.",
        examples=[
            {
                "chi_square": 0.2,
                "degrees_of_freedom": 1,
                "p_chi_square": 0.65,
                "p_binomial": 0.65,
                "p_combined": 1.0,
            }
        ],
    )
