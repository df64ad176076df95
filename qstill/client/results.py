"""What circuits were read as: counts, probabilities, intervals, expectation values; as numpy and pandas want them."""

import base64
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from html import escape
from typing import Any, overload

from qstill.client.contents import library
from qstill.contract.answers.jobs import JobView
from qstill.contract.circuits.job import CircuitResult
from qstill.contract.circuits.results.document import CircuitResults, Expectation
from qstill.contract.circuits.results.statistics import wilson_interval

MAX_VECTOR_BITS = 26  # half a gigabyte of numbers
SHOWN = 8  # outcomes in a repr

Draw = Callable[[], str]  # the server's picture, as SVG


class Result:
    """One circuit's counts. A key has a character for each classical bit, bit 0 rightmost, as in Qiskit."""

    def __init__(
        self,
        found: CircuitResults,
        *,
        summary: CircuitResult | None = None,
        draw: Draw | None = None,
    ) -> None:
        self.found, self.summary, self._draw = found, summary, draw

    @property
    def counts(self) -> dict[str, int]:
        """Shots by outcome."""
        return self.found["counts"]

    @property
    def shots(self) -> int:
        return self.found["shots"]

    @property
    def seed(self) -> int:
        """Submitted again it gives the same counts."""
        return self.found["seed"]

    @property
    def method(self) -> str:
        return self.found["method"]

    @cached_property
    def probabilities(self) -> dict[str, float]:
        """count / shots by outcome. `exact` has those that no chance is in, where they were asked for."""
        return {key: count / self.shots for key, count in self.counts.items()}

    @cached_property
    def interval(self) -> dict[str, tuple[float, float]]:
        """The 95% interval of each probability (Wilson's)."""
        return {key: wilson_interval(count, self.shots) for key, count in self.counts.items()}

    @property
    def exact(self) -> dict[str, float] | None:
        """Exact probabilities, noise included; None where `outputs` did not ask for them."""
        return self.found.get("probabilities")

    @property
    def ideal(self) -> dict[str, float] | None:
        """Exact probabilities without the noise; None where nobody knows them."""
        return self.found.get("ideal")

    @property
    def memory(self) -> list[str] | None:
        """The key of each shot in turn; None where `outputs` did not ask for it."""
        return self.found.get("memory")

    @property
    def expectations(self) -> list[Expectation]:
        """In the order of `observables`."""
        return self.found.get("expectations", [])

    @property
    def binding(self) -> dict[str, float] | None:
        """Of a sweep's circuit: the values of its parameters."""
        return self.found.get("binding")

    def to_numpy(self, name: str = "frequencies") -> Any:
        """An array: `frequencies` (2^clbits,) or `exact`, by outcome as a number, clbit 0 its lowest bit;
        `expectations` (observables,); `statevector`, `density_matrix` or `unitary`, where they are small.
        """
        numpy = library("numpy", "a result as an array")
        if name == "expectations":
            return numpy.array([each["value"] for each in self.expectations])
        if name in ("statevector", "density_matrix", "unitary"):
            state: Any = self.found.get(name)
            if state is None:
                raise ValueError(f"the results hold no {name}; ask for it in `outputs`, or download it: job.state(...)")
            pairs = numpy.array(state, dtype=float)
            return pairs[..., 0] + 1j * pairs[..., 1]
        found = self.probabilities if name == "frequencies" else self.exact
        if name not in ("frequencies", "exact") or found is None:
            raise ValueError(f"there is no array {name!r} in this result")
        if self.found["clbits"] > MAX_VECTOR_BITS:
            raise ValueError(f"a vector of 2^{self.found['clbits']} outcomes is too long; `counts` has those there are")
        vector = numpy.zeros(1 << self.found["clbits"])
        for key, value in found.items():
            vector[int(key, 2) if key else 0] = value
        return vector

    def to_samples(self) -> Any:
        """(shots, clbits) of 0 and 1, clbit 0 first. Any order of shots is as likely: the circuit's seed draws one."""
        numpy, width = library("numpy", "samples as an array"), self.found["clbits"]
        written = numpy.frombuffer("".join(self.counts).encode(), dtype=numpy.uint8) - ord("0")
        keys = written.reshape(len(self.counts), width)[:, ::-1]
        return numpy.random.default_rng(self.seed).permutation(keys.repeat(list(self.counts.values()), axis=0))

    def to_pandas(self) -> Any:
        """A frame with key, count, probability, low and high, the most frequent outcome first."""
        pandas = library("pandas", "a result as a frame")
        return pandas.DataFrame(self.rows(), columns=["key", "count", "probability", "low", "high"])

    def rows(self) -> list[tuple[str, int, float, float, float]]:
        """(key, count, probability, low, high), the most frequent outcome first."""
        ordered = sorted(self.counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return [(key, count, count / self.shots, *wilson_interval(count, self.shots)) for key, count in ordered]

    def __repr__(self) -> str:
        first = ", ".join(f"{key!r}: {count}" for key, count, *_ in self.rows()[:SHOWN])
        more = f", … {len(self.counts) - SHOWN} more" if len(self.counts) > SHOWN else ""
        return f"Result({{{first}{more}}}, shots={self.shots}, method={self.method!r})"

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>" if self._draw is None else picture(self._draw())


class Results(Sequence[Result]):
    """The circuits of a batch or a sweep, in the order of the job."""

    def __init__(self, found: Sequence[Result]) -> None:
        self._found = list(found)

    @overload
    def __getitem__(self, place: int) -> Result: ...
    @overload
    def __getitem__(self, place: slice) -> "Results": ...
    def __getitem__(self, place: int | slice) -> "Result | Results":
        return Results(self._found[place]) if isinstance(place, slice) else self._found[place]

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Result]:
        return iter(self._found)

    @property
    def counts(self) -> list[dict[str, int]]:
        return [each.counts for each in self]

    @property
    def expectations(self) -> list[list[Expectation]]:
        return [each.expectations for each in self]

    def to_numpy(self, name: str = "frequencies") -> Any:
        """What `Result.to_numpy` gives, with an axis more in front; the circuits must be equally wide."""
        return library("numpy", "results as an array").stack([each.to_numpy(name) for each in self])

    def to_pandas(self) -> Any:
        """The frames under each other, with a column `circuit`, and one for each parameter of a sweep."""
        columns = ("key", "count", "probability", "low", "high")
        rows = [
            {"circuit": place, **(each.binding or {}), **dict(zip(columns, row, strict=True))}
            for place, each in enumerate(self)
            for row in each.rows()
        ]
        return library("pandas", "results as a frame").DataFrame(rows)

    def __repr__(self) -> str:
        return f"Results({len(self)} circuits)"


def results_of(job: JobView, circuits: Sequence[CircuitResults], draw: Callable[[int], str] | None) -> Result | Results:
    """A job of one circuit has a result; a batch or a sweep has several, be it a single one."""
    told = job.result or {}
    summary = CircuitResult.model_validate(told, extra="ignore") if told.get("object") == "circuit_result" else None
    made = [
        Result(found, summary=summary, draw=None if draw is None else partial(draw, place))
        for place, found in enumerate(circuits)
    ]
    return Results(made) if told.get("object") == "batch_result" else made[0]


def circuits_of(job: Any, timeout: float | None = None) -> list[Result]:
    """Those of a job of the client, in its order, be it one. Raises JobFailed, TimedOut."""
    found = job.circuits(timeout)
    return list(found) if isinstance(found, Results) else [found]


def picture(svg: str) -> str:
    """An SVG in a page. As an image: what is in it cannot run."""
    return f'<img alt="" src="data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}">'


def summary_html(job: JobView) -> str:
    """A job in a line."""
    said = {"job": job.id, "kind": job.kind, "status": job.status, "name": job.name, "found": job.headline}
    return " · ".join(f"<b>{escape(name)}</b> {escape(str(value))}" for name, value in said.items() if value)
