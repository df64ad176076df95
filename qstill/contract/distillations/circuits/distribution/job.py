"""Shots made into a model of their distribution: what a job may ask, and the small answer that lands in its row."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from qstill.contract.circuits.device import Device
from qstill.contract.circuits.formats import Circuit
from qstill.contract.circuits.job import Binding, CircuitJob
from qstill.contract.circuits.noise.model import Noise
from qstill.contract.distillations.training import MAX_BATCH, Epochs
from qstill.contract.errors import Problem
from qstill.contract.schemas import FileId, JobId, Seed, Strict, Submission, View, refuse

MAX_BITS = 30  # of a key: a sample takes as many steps of the network
MAX_LISTED_BITS = 16  # up to here the model's probability of every key is computed and listed
MAX_SHOTS = 1_000_000  # that a model learns from: each is a row of an epoch
MAX_OUTCOMES = 65_536  # different keys inline: about 2 MB of JSON; a file may hold as many as it has shots
LEAST_SHOTS = 16  # for training, for choosing the epoch, and held out: fewer decide nothing
MAX_WIDTH = 256
MAX_CELLS = 3

MEASURE: Literal["held_out_nll"] = "held_out_nll"
SOURCES = ("counts", "file", "job", "circuit")

ISING = (
    'OPENQASM 3.0; include "stdgates.inc"; qubit[12] q; bit[12] c; '
    "for int step in [1:20] { "
    "for int i in [0:10] { cx q[i], q[i + 1]; rz(-0.15) q[i + 1]; cx q[i], q[i + 1]; } "
    "for int i in [0:11] { rx(-0.15) q[i]; } } "
    "c = measure q;"
)  # a transverse-field Ising chain to t = 1.5

Key = Annotated[str, Field(pattern=r"^[01]+( [01]+)*$", max_length=64)]
Count = Annotated[int, Field(ge=0, le=MAX_SHOTS)]
Counts = Annotated[dict[Key, Count], Field(max_length=MAX_OUTCOMES)]
Share = Annotated[float, Field(ge=0.05, le=0.5)]


class GivenShots(Strict):
    """What was read, and how often: of a circuit that is run here, or of any machine."""

    source: Literal["circuit"] = Field(description="Shots of a circuit.", examples=["circuit"])
    keep: Literal["distribution"] = Field(
        description="How likely each outcome is: what the student learns.", examples=["distribution"]
    )
    counts: Counts | None = Field(
        None,
        description="How often each key was read. All keys have as many characters; the rightmost is clbit 0, which "
        "the student reads first. Spaces between registers are left out. Give `counts`, `file`, `job` or `circuit`.",
        examples=[{"00": 512, "11": 488}],
    )
    file: FileId | None = Field(
        None,
        description="An uploaded file of counts (purpose `dataset`, `.json`): an object of keys and numbers, one with "
        "such an object as `counts`, or a circuit job's `results.json`, of which `index` names the circuit.",
        examples=["file_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"],
    )
    job: JobId | None = Field(
        None,
        description="A circuit job of yours that succeeded. Its counts are copied when this is submitted, so that it "
        "may be deleted then: the request that is kept has them as `counts`, and the id as `counts_of`.",
        examples=["job_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"],
    )
    index: Annotated[int, Field(ge=0, le=99_999)] = Field(
        0, description="Which circuit of a `results.json` or of the `job`, from 0.", examples=[0]
    )
    counts_of: JobId | None = Field(
        None,
        description="A note to `counts`: the job that read them. `job` writes it.",
        examples=["job_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"],
    )
    circuit: Circuit | None = Field(
        None,
        description="A circuit that measures, in any format of `POST /v1/circuits`. It is run when the job is, as "
        "often as `shots` says, and what is exact of it judges the student.",
        examples=[{"format": "openqasm3", "source": ISING}],
    )
    bindings: Binding | None = Field(
        None, description="Values of the circuit's free parameters; null: it has none.", examples=[{"theta": 0.1}]
    )
    shots: Annotated[int, Field(ge=1, le=MAX_SHOTS)] | None = Field(
        None, description="How often `circuit` is run; null: 1,024 times.", examples=[1024]
    )
    noise: Noise | None = Field(
        None,
        description="As in a circuit job: the distribution that is learned, and judged by, is the noisy one.",
        examples=[{"model": "depolarizing", "one_qubit": 0.001, "two_qubit": 0.01}],
    )
    device: Device | None = Field(
        None,
        description="As in a circuit job: what the circuit is compiled for before it is run.",
        examples=[{"coupling_map": {"shape": "line", "qubits": 12}}],
    )
    held_out: Share = Field(
        0.25,
        description="Share of the shots that nothing learns from: they judge student, histogram and independent bits.",
        examples=[0.25],
    )
    validation: Share = Field(
        0.2,
        description="Share of the other shots that chooses the student's epoch. The histogram and the independent bits "
        "are made of them, too.",
        examples=[0.2],
    )
    seed: Seed = Field(
        0, description="Draws a circuit's shots, and which shots are held out or choose the epoch.", examples=[0]
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in SOURCES if getattr(self, name) is not None]
        if not given:
            reason = "give `counts`, the id of a `file` of counts or of a circuit `job`, or a `circuit` to run"
            refuse(("counts",), "missing", reason, None)
        if len(given) > 1:
            reason = f"the shots come from one place: leave out `{given[0]}` or `{given[1]}`"
            refuse((given[1],), "twice", reason, given[1])
        for name in ("bindings", "shots", "noise", "device"):
            if self.circuit is None and getattr(self, name) is not None:
                refuse((name,), "superfluous", "it belongs to a `circuit` that is run here", name)
        if self.file is None and self.job is None and self.index:
            refuse(("index",), "superfluous", "it names a circuit of a `file` or `job` of several", self.index)
        if self.counts is None and self.counts_of is not None:
            refuse(("counts_of",), "superfluous", "it is a note to `counts`: name the job as `job`", self.counts_of)
        return self

    @property
    def shots_to_run(self) -> int:
        """Of a circuit."""
        return self.shots or 1024

    def as_circuit_job(self) -> CircuitJob:
        """The circuit job whose shots these are; only of a `circuit`."""
        return CircuitJob(
            circuit=self.circuit,
            bindings=None if self.bindings is None else [self.bindings],
            shots=self.shots_to_run,
            seed=self.seed,
            noise=self.noise,
            device=self.device,
            ideal=False,
            outputs=["counts", "probabilities_where_possible"],
        )


class Autoregressive(Strict):
    """A recurrent network that reads a key bit by bit, from clbit 0 on, and says of each how likely it is a 1.

    The product of what it says is the exact probability of a key, and the probabilities of all keys sum to 1. Its
    cells (gated recurrent units, 1406.1078) are the same at every bit; each bit has a log-odds of its own besides. It
    begins as the distribution of independent bits.
    """

    kind: Literal["autoregressive"] = Field(description="A network of conditional probabilities.")
    hidden: Annotated[list[Annotated[int, Field(ge=1, le=MAX_WIDTH)]], Field(min_length=1, max_length=MAX_CELLS)] = (
        Field(
            default_factory=lambda: [64],
            description="Numbers that it remembers of the bits before, a layer of cells each.",
            examples=[[64]],
        )
    )


class DistributionStudent(Strict):
    """The model of the distribution."""

    architecture: Autoregressive = Field(
        description="Its network.", examples=[{"kind": "autoregressive", "hidden": [64]}]
    )


class DistributionTraining(Strict):
    """How the network is trained: by the likelihood of the shots, with Adam."""

    epochs: Epochs = Field(200, description="Passes over the training shots at most.", examples=[200])
    batch_size: Annotated[int, Field(ge=1, le=MAX_BATCH)] = Field(64, description="Shots a step.", examples=[64])
    learning_rate: Annotated[float, Field(gt=0, le=10)] = Field(0.005, description="Of every step.", examples=[0.005])
    patience: Epochs | None = Field(
        20,
        description="End after so many epochs without a better one on the validation shots; null: never.",
        examples=[20],
    )
    seed: Seed = Field(0, description="Initial weights and the order of the shots.", examples=[0])


class DistributionJob(Submission):
    """Learn the distribution behind some shots, and say whether the model is nearer to it than their histogram."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "dataset": {
                        "source": "circuit",
                        "keep": "distribution",
                        "circuit": {"format": "openqasm3", "source": ISING},
                        "shots": 1024,
                        "held_out": 0.25,
                    },
                    "student": {"architecture": {"kind": "autoregressive", "hidden": [32]}},
                    "training": {"epochs": 60, "batch_size": 128, "learning_rate": 0.01, "patience": 15, "seed": 0},
                }
            ]
        }
    )

    dataset: GivenShots = Field(
        description="The shots.",
        examples=[{"source": "circuit", "keep": "distribution", "counts": {"00": 512, "11": 488}}],
    )
    student: DistributionStudent = Field(
        default_factory=lambda: DistributionStudent(architecture=Autoregressive(kind="autoregressive")),
        description="The model of their distribution.",
        examples=[{"architecture": {"kind": "autoregressive", "hidden": [64]}}],
    )
    training: DistributionTraining = Field(
        default_factory=lambda: DistributionTraining(), description="How it is trained.", examples=[{"epochs": 60}]
    )
    export: Annotated[list[Literal["onnx"]], Field(max_length=1)] = Field(
        default_factory=list,
        description="`onnx`: also the student as `student.onnx`, whichever model is returned: from `bits` (rows, "
        "bits), float32 of 0 and 1 with clbit 0 first, to `log_probability` (rows,), nats.",
        examples=[["onnx"]],
    )


def check_counts(counts: Mapping[str, int]) -> None:
    """Raise Problem where counts are no distribution over keys of one length. Pointers are below the counts."""
    if not sum(counts.values()):
        way: dict[str, Any] = {"counts": {"00": 512, "11": 488}}
        raise Problem("no_counts", "Nothing was read: there are no shots in the counts.", pointer="", ways_out=[way])
    lengths = {len(key.replace(" ", "")): key for key in counts}
    if len(lengths) > 1:
        (short, one), (long, other) = min(lengths.items()), max(lengths.items())
        title = f"{one!r} has {short} bits and {other!r} has {long}; the keys of one register have as many."
        way = {"note": "write leading zeros out, or submit the counts of one circuit"}
        raise Problem("keys_differ", title, pointer=f"/{one}", ways_out=[way])
    check_bits(next(iter(lengths)), "")


def check_bits(bits: int, pointer: str) -> None:
    """Raise Problem too_many_bits where a student does not read so many, or nothing_to_learn where there are none."""
    if bits < 1:
        title = "The circuit reads no bit: there is nothing to learn."
        way = {"note": "measure what the distribution is of"}
        raise Problem("nothing_measured", title, pointer=pointer, ways_out=[way])
    if bits > MAX_BITS:
        title = f"A key has {bits} bits; a student reads up to {MAX_BITS}."
        way = {"note": f"measure {MAX_BITS} qubits or fewer, or sum the counts over some of the bits"}
        raise Problem("too_many_bits", title, pointer=pointer, ways_out=[way])


def parts_of(dataset: GivenShots, shots: int) -> tuple[int, int, int]:
    """(training, validation, held-out) of so many shots. Raises Problem too_few_shots, too_many_shots."""
    if shots > MAX_SHOTS:
        title = f"There are {shots:,} shots; {MAX_SHOTS:,} are learned from."
        way = {"note": "divide the counts: so many shots have a histogram that needs no model"}
        raise Problem("too_many_shots", title, pointer="/dataset", ways_out=[way])
    held_out = round(dataset.held_out * shots)
    validation = round(dataset.validation * (shots - held_out))
    training = shots - held_out - validation
    if min(held_out, validation, training) >= LEAST_SHOTS:
        return training, validation, held_out
    named = {"/dataset/held_out": held_out, "/dataset/validation": validation, "/dataset": training}
    pointer = next(place for place, left in named.items() if left < LEAST_SHOTS)
    title = (
        f"Of {shots:,} shots {training} are for training, {validation} choose the epoch and {held_out} judge it; "
        f"each takes {LEAST_SHOTS} at least."
    )
    smallest = min(dataset.held_out, (1 - dataset.held_out) * dataset.validation)
    smallest = min(smallest, 1 - dataset.held_out - (1 - dataset.held_out) * dataset.validation)
    ways: list[dict[str, Any]] = [{"shots": int(LEAST_SHOTS / smallest) + 2}]
    if shots >= 4 * LEAST_SHOTS:
        ways.append({"dataset": {"held_out": 0.25, "validation": 0.34}})
    raise Problem("too_few_shots", title, pointer=pointer, ways_out=ways)


class Distances(View):
    """One number of each model of the distribution; null where none is known."""

    student: float | None = Field(description="Of the network.", examples=[0.17])
    histogram: float | None = Field(description="Of the histogram of the same shots.", examples=[0.45])
    independent: float | None = Field(
        description="Of independent bits with the frequencies that were read.", examples=[0.61]
    )


class NllGain(View):
    """The histogram's held-out NLL less the student's, paired by shot; above zero the student is better."""

    nats: float = Field(description="Mean over the held-out shots.", examples=[0.31])
    low: float = Field(description="Lower end of its 95% confidence interval.", examples=[0.22])
    high: float = Field(description="Upper end of its 95% confidence interval.", examples=[0.4])


class DistributionResult(View):
    """The answer in short; the artifact `report.json` is the whole."""

    measure: Literal["held_out_nll"] = Field(
        description="What the decision rests on: the mean negative log-likelihood of the held-out shots, nats a shot.",
        examples=[MEASURE],
    )
    returned: Literal["student", "histogram"] = Field(
        description="The model to use, which `distribution.json` is of.", examples=["student"]
    )
    why: str = Field(description="One sentence.", examples=["the student's held-out NLL is not below the histogram's"])
    bits: int = Field(description="Of a key.", examples=[8])
    shots: int = Field(description="All of them.", examples=[1024])
    outcomes: int = Field(description="Different keys that were read.", examples=[211])
    nll: Distances = Field(description="Held-out NLL, nats a shot: less is better.")
    gain: NllGain = Field(description="Of the student over the histogram.")
    total_variation: Distances | None = Field(
        description="½ Σ|p - q| to the circuit's exact distribution; null where that is not known."
    )
    checkpoints: int = Field(description="How many the job published.", examples=[1])
    student_sha256: str = Field(description="Of the published student.", examples=["9f86d081884c7d65"])
    seconds: float = Field(description="Computing time over all attempts.", examples=[4.2])
