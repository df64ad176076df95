"""The section of a report on quantum students: beside their controls, what is quantum in them, and on the engine."""

from qiskit import QuantumCircuit
from qiskit.circuit import ParameterExpression
from torch import Tensor, nn

from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.report.quantum import (
    CLASSICAL,
    IN_WORDS,
    Advantage,
    Control,
    ControlArm,
    QuantumNature,
    QuantumSection,
)
from qstill.contract.distillations.results import Gain
from workers.distillation.data.dataset import Data
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.distillation.networks.costs import parameters
from workers.distillation.quality import mean_sd
from workers.distillation.quantum.controls import Controls
from workers.distillation.quantum.expressibility import expressibility_of
from workers.distillation.quantum.judge import Judge
from workers.distillation.report.measure import answers_of_stage
from workers.distillation.report.measurements import RowMeasurements
from workers.distillation.training.keeper import Keeper
from workers.distillation.training.plan import Stage

COMPLEX_BYTES = 16  # of an amplitude in double precision


def quantum_section(
    job: DistillationJob,
    data: Data,
    measured: RowMeasurements,
    pairs: list[tuple[Stage, Stage]],
    controls: Controls,
    keeper: Keeper,
    answers: Tensor,
    teacher: nn.Module | None,
) -> QuantumSection | None:
    """None for a student that is no circuit. answers: the teacher's logits (test rows, classes). teacher: its network,
    where it is at hand.
    """
    student = pairs[0][0].trained(keeper.outcomes, data)
    if not isinstance(student, CircuitNetwork):
        return None
    arms = {name: _arm(stages, data, measured, keeper, answers) for name, stages in controls.items()}
    engine = None
    if job.evaluation.quantum is not None:
        judge = Judge(job.evaluation.quantum, data, answers, keeper, job.training.seed)
        engine = judge.judged(_on_engine(student, teacher, pairs[0][1], controls, data, keeper))
    return QuantumSection(
        controls=arms,
        advantage=_advantage(arms, measured) if arms else None,
        nature=nature_of(student, data.train.x[:1], job.training.seed),
        engine=engine,
    )


def _arm(stages: list[Stage], data: Data, measured: RowMeasurements, keeper: Keeper, answers: Tensor) -> ControlArm:
    subjects = [answers_of_stage(stage, data, keeper.outcomes, answers) for stage in stages]
    runs = [vars(one.quality) | measured.besides(one) | dict(one.named) for one in subjects]
    beside = measured.compared(measured.students, subjects)
    return ControlArm(
        summary={name: mean_sd([run[name] for run in runs]) for name in measured.summarised},
        parameters=parameters(stages[0].begin(data)),
        student_minus_control=Gain(points=beside.mean, low=beside.low, high=beside.high),
    )


def _advantage(arms: dict[Control, ControlArm], measured: RowMeasurements) -> Advantage:
    """Shown where the student beats every classical control, by the interval of its paired differences."""
    over = [name for name, arm in arms.items() if (arm.student_minus_control.low or 0) > 0]
    not_over = [name for name in arms if name not in over]
    in_the_way = [name for name in not_over if name in CLASSICAL]
    worth = {name: measured.measure.formatted(arms[name].summary[measured.measure.name].mean) for name in arms}
    if in_the_way:
        said = " and ".join(f"{IN_WORDS[name]} reaches {worth[name]}" for name in in_the_way)
        sentence = f"not shown: {said}"
    else:
        sentence = f"shown over {' and '.join(f'{IN_WORDS[name]} ({worth[name]})' for name in over)}"
    return Advantage(shown=not in_the_way, over=over, not_over=not_over, sentence=sentence)


def nature_of(network: CircuitNetwork, row: Tensor, seed: int) -> QuantumNature:
    """What its circuit has of quantum computing. row: (1, ...), by which it is looked at; seed: of what is drawn."""
    whole, inputs = network.whole()
    return QuantumNature(
        entangles=any(len(each.qubits) > 1 for each in network.trained.data),
        one_matrix=not network.inputs,
        frequencies=max(_turns(whole, name) for name in inputs) if inputs else None,
        simulated_by="statevector",
        simulation_bytes=COMPLEX_BYTES << network.qubits,
        expressibility=expressibility_of(network, row, seed),
    )


def _turns(circuit: QuantumCircuit, name: str) -> int:
    """How many gates turn by an input: each adds a frequency."""
    return sum(any(name in _names(angle) for angle in each.operation.params) for each in circuit.data)


def _names(angle: object) -> set[str]:
    return {each.name for each in angle.parameters} if isinstance(angle, ParameterExpression) else set()


def _on_engine(
    student: CircuitNetwork,
    teacher: nn.Module | None,
    baseline: Stage,
    controls: Controls,
    data: Data,
    keeper: Keeper,
) -> dict[str, CircuitNetwork]:
    """The first seed's circuits: the student, its teacher where it is one, its baseline, and its quantum controls."""
    others = {"baseline": baseline} | {str(name): stages[0] for name, stages in controls.items()}
    trained = {
        name: stage.trained(keeper.outcomes, data) for name, stage in others.items() if stage.name in keeper.outcomes
    }
    found = {"student": student, "teacher": teacher, **trained}
    return {name: one for name, one in found.items() if isinstance(one, CircuitNetwork)}
