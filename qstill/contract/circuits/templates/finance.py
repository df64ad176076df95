"""A choice of assets, a risk and a price."""

from math import sqrt
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from qstill.contract.schemas import Strict, refuse

MAX_ASSETS = 8  # every portfolio is computed, for the optimum must be known
MAX_GRID_QUBITS = 6  # the distribution is loaded exactly: a rotation for each of the 2^n points, in every iteration
MAX_LAYERS = 6
WIDEST = 1.0  # standard deviation of a price's logarithm; of wider distributions an even grid shows nothing

Moment = Annotated[float, Field(ge=-100, le=100)]
GridQubits = Annotated[int, Field(ge=2, le=MAX_GRID_QUBITS)]
Precision = Annotated[float, Field(ge=0.005, le=0.1)]


class Portfolio(Strict):
    """Choose `budget` of the assets: minimise risk_aversion · xᵀΣx - μᵀx over x in {0, 1}^n, by QAOA."""

    name: Literal["portfolio"] = Field(description="Choose assets.", examples=["portfolio"])
    expected_returns: list[Moment] = Field(
        [0.06, 0.11, 0.04, 0.09, 0.14],
        min_length=2,
        max_length=MAX_ASSETS,
        description="μ: one for each asset.",
        examples=[[0.06, 0.11, 0.04]],
    )
    covariance: list[Annotated[list[Moment], Field(min_length=2, max_length=MAX_ASSETS)]] = Field(
        [
            [0.04, 0.01, 0.0, 0.01, 0.02],
            [0.01, 0.09, -0.01, 0.03, 0.04],
            [0.0, -0.01, 0.02, 0.0, -0.01],
            [0.01, 0.03, 0.0, 0.06, 0.02],
            [0.02, 0.04, -0.01, 0.02, 0.16],
        ],
        min_length=2,
        max_length=MAX_ASSETS,
        description="Σ: symmetric, a row for each asset.",
        examples=[[[0.04, 0.01, 0.0], [0.01, 0.09, -0.01], [0.0, -0.01, 0.02]]],
    )
    budget: int = Field(
        2, ge=1, lt=MAX_ASSETS, description="How many assets to hold, fewer than there are.", examples=[2]
    )
    risk_aversion: float = Field(0.5, ge=0, le=100, description="How much risk weighs against return.", examples=[0.5])
    layers: int = Field(3, ge=1, le=MAX_LAYERS, description="QAOA layers.", examples=[3])

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        assets = len(self.expected_returns)
        if self.budget >= assets:
            refuse(("budget",), "too_many", f"There are {assets} assets; hold fewer than all of them.", self.budget)
        if len(self.covariance) != assets:
            refuse(("covariance",), "wrong_shape", f"Σ must have {assets} rows.", len(self.covariance))
        for row, entries in enumerate(self.covariance):
            if len(entries) != assets:
                refuse(("covariance", row), "wrong_shape", f"Σ must have {assets} columns.", len(entries))
            for column, entry in enumerate(entries[:row]):
                if entry != self.covariance[column][row]:
                    reason = f"Σ must be symmetric: here {entry}, across {self.covariance[column][row]}."
                    refuse(("covariance", row, column), "not_symmetric", reason, entry)
        return self


class ValueAtRisk(Strict):
    """The loss that is not exceeded with probability `level`, by iterative amplitude estimation."""

    name: Literal["value_at_risk"] = Field(description="Value at risk.", examples=["value_at_risk"])
    mean: float = Field(0.0, ge=-1e6, le=1e6, description="Mean of the normally distributed loss.", examples=[0.0])
    deviation: float = Field(1.0, gt=0, le=1e6, description="Its standard deviation.", examples=[1.0])
    level: float = Field(0.95, ge=0.5, le=0.99, description="Probability that the loss stays below.", examples=[0.95])
    qubits: GridQubits = Field(
        4, description="The loss takes 2^qubits values, evenly from mean - 3 to mean + 3 deviations.", examples=[4]
    )
    precision: Precision = Field(0.01, description="Half the width of the interval for a probability.", examples=[0.01])


class EuropeanCall(Strict):
    """The fair price of a European call by iterative amplitude estimation."""

    name: Literal["european_call"] = Field(description="Price an option.", examples=["european_call"])
    spot: float = Field(2.0, gt=0, le=1e6, description="The asset's price now.", examples=[2.0])
    strike: float = Field(1.9, gt=0, le=1e6, description="The price it may be bought at.", examples=[1.9])
    volatility: float = Field(0.4, ge=0.01, le=2, description="Per square root of a year.", examples=[0.4])
    rate: float = Field(0.05, ge=-0.5, le=0.5, description="Interest without risk, per year.", examples=[0.05])
    years: float = Field(0.11, gt=0.001, le=10, description="Time to maturity.", examples=[0.11])
    qubits: GridQubits = Field(
        4,
        description="The price takes 2^qubits values, evenly up to 3 standard deviations of its logarithm.",
        examples=[4],
    )
    precision: Precision = Field(
        0.01, description="Half the width of the interval, as a share of the largest payoff.", examples=[0.01]
    )

    @model_validator(mode="after")
    def _fits_the_grid(self) -> Self:
        if self.volatility * sqrt(self.years) > WIDEST:
            reason = f"With this volatility the grid holds prices of up to {(WIDEST / self.volatility) ** 2:.3g} years."
            refuse(("years",), "too_wide", reason, self.years)
        return self
