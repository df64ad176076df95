"""What running quantum networks on the circuit engine will cost: a few rows' circuits are run, and scaled up."""

from collections.abc import Sequence
from dataclasses import dataclass

from qstill.contract.distillations.evaluation import QuantumEvaluation
from qstill.contract.distillations.mitigation import CliffordGains, ZeroNoise
from qstill.contract.distillations.preflight_parts import Seconds
from workers.circuits.engines.final_state import STATES_AT_ONCE
from workers.distillation.data.dataset import Data
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.distillation.preflight.costs import NOTHING, around, total_of
from workers.distillation.preflight.pace import timed
from workers.distillation.quantum.as_circuits import angles_of_rows, circuit_of, measured
from workers.distillation.quantum.on_engine import TOGETHER, Engine
from workers.quantum.measurements import measurements_of
from workers.quantum.mitigate import CANDIDATES

FEW, SLOW = 2, 0.5  # rows that are tried, where the first took so many seconds; as many as run together elsewhere
REAL, COMPLEX = 8, 16  # bytes in double precision


@dataclass(frozen=True)
class EngineCost:
    """memory: bytes of the distributions that are kept, and of the states that are simulated together."""

    time: Seconds
    memory: int


def engine_cost(
    asked: QuantumEvaluation | None,
    networks: Sequence[tuple[CircuitNetwork, int]],
    data: Data,
    *,
    threads: int,
    seed: int,
) -> EngineCost:
    """networks: each with how many of its kind are run."""
    if asked is None or not networks:
        return EngineCost(NOTHING, 0)
    rows = min(asked.rows, len(data.test.y)), min(asked.calibration_rows, len(data.learned))
    times, kept, state = [], 0, 0
    for network, count in networks:
        time, numbers = _of_one(asked, network, data, rows, threads, seed)
        times.append(around(count * time))
        kept += count * numbers
        state = max(state, 1 << network.qubits * (1 if asked.noise is None else 2))
    together = max(state, min(TOGETHER * state, STATES_AT_ONCE))
    return EngineCost(total_of(times), REAL * kept + COMPLEX * together)


def _of_one(
    asked: QuantumEvaluation, network: CircuitNetwork, data: Data, rows: tuple[int, int], threads: int, seed: int
) -> tuple[float, int]:
    """(seconds, numbers that are kept)."""
    measurements, circuit = measurements_of(network.sums), circuit_of(network)
    read = measured(circuit, measurements[0].basis)
    angles = angles_of_rows(network, data.test.x[:TOGETHER])

    def tried(engine: Engine) -> tuple[float, float]:
        """Seconds of a circuit's first row, and of each further one; what only the first circuit of all takes aside."""
        first = min(timed(lambda: engine.distributions(read, angles[:1])) for _ in range(2))
        some = angles[: FEW if first > SLOW else TOGETHER]
        return first, timed(lambda: engine.distributions(read, some)) / len(some)

    ideal = Engine(None, asked.device, seed, threads)
    first, each = tried(ideal)
    test, calibration = rows
    seconds, passes = first + each * (test + calibration), test + calibration
    strengths = len(asked.strengths) - 1
    if strengths:
        first_noisy, each_noisy = tried(Engine(asked.noise, asked.device, seed, threads))
        seconds += strengths * (first_noisy + each_noisy * (test + calibration))
        passes += strengths * (test + calibration)
        match asked.mitigation:
            case ZeroNoise(scales=scales):
                folded = [scale for scale in scales if scale > 1]
                seconds += strengths * sum(first_noisy + scale * each_noisy * test for scale in folded)
                passes += strengths * len(folded) * test
            case CliffordGains(variants=variants):
                seconds += strengths * variants * (CANDIDATES * first + first_noisy)
                passes += strengths * 2 * variants
            case None:
                pass
    return len(measurements) * seconds, len(measurements) * passes << network.qubits
