"""What the named noise models are short for: the rules of a custom one."""

from collections.abc import Sequence

from qstill.contract.circuits.noise.channels import Depolarizing, Readout, Thermal
from qstill.contract.circuits.noise.model import (
    ANY_ONE,
    ANY_TWO,
    IONQ_RATES,
    CustomNoise,
    DepolarizingNoise,
    GateRule,
    IdealNoise,
    IonqNoise,
    Noise,
    ReadoutNoise,
    ReadoutRule,
    ThermalRelaxationNoise,
)


def as_custom(noise: Noise) -> CustomNoise:
    """The same noise, written as rules."""
    match noise:
        case CustomNoise():
            return noise
        case IdealNoise():
            return CustomNoise(model="custom")
        case ReadoutNoise():
            return _custom([], Readout(p01=noise.p01, p10=noise.p10))
        case IonqNoise():
            one, two = IONQ_RATES[noise.model]
            return _custom(_depolarizing(one, two), None)
        case DepolarizingNoise():
            return _custom(_depolarizing(noise.one_qubit, noise.two_qubit), noise.readout)
        case ThermalRelaxationNoise():
            times = {ANY_ONE: noise.one_qubit_time, ANY_TWO: noise.two_qubit_time, "measure": noise.measure_time}
            rules = [GateRule(gate=gate, error=_thermal(noise, time)) for gate, time in times.items()]
            return _custom(rules, noise.readout)


def _custom(gates: Sequence[GateRule], readout: Readout | None) -> CustomNoise:
    rules = [ReadoutRule(p01=readout.p01, p10=readout.p10)] if readout else []
    return CustomNoise(model="custom", gates=list(gates), readout=rules)


def _depolarizing(one_qubit: float, two_qubit: float) -> list[GateRule]:
    return [
        GateRule(gate=gate, error=Depolarizing(kind="depolarizing", probability=probability))
        for gate, probability in ((ANY_ONE, one_qubit), (ANY_TWO, two_qubit))
    ]


def _thermal(noise: ThermalRelaxationNoise, time: float) -> Thermal:
    return Thermal(kind="thermal", t1=noise.t1, t2=noise.t2, time=time, excited_population=noise.excited_population)
