"""Noise made weaker or stronger: every error's strength times a number."""

from qstill.contract.circuits.noise.channels import (
    AmplitudeDamping,
    Depolarizing,
    GateError,
    KrausError,
    PauliError,
    PhaseDamping,
    Thermal,
)
from qstill.contract.circuits.noise.model import ANY_TWO, TWO_QUBIT_GATES, CustomNoise, Noise
from qstill.contract.circuits.noise.named import as_custom

HIGHEST = 32.0  # times as strong; beyond, nothing is left of either circuit


def scaled(noise: Noise, scale: float) -> CustomNoise:
    """Probabilities, and the times of thermal relaxation, times a scale of at most `most_scaled`. Readings stay."""
    rules = as_custom(noise)
    gates = [rule.model_copy(update={"error": _scaled(rule.error, scale)}) for rule in rules.gates]
    return rules.model_copy(update={"gates": gates})


def most_scaled(noise: Noise) -> float | None:
    """How far it can be scaled, at most HIGHEST; None where it has an error of Kraus operators, or none of gates."""
    limits = [_limit(rule.error) for rule in as_custom(noise).gates]
    known = [limit for limit in limits if limit is not None]
    return min([HIGHEST, *known]) if limits and len(known) == len(limits) else None


def two_qubit_probability(noise: Noise) -> float | None:
    """p after a two-qubit gate, where it is one depolarizing error for all of them, or for the one that is named."""
    names = {ANY_TWO, *TWO_QUBIT_GATES}
    rules = [rule for rule in as_custom(noise).gates if rule.name in names]
    errors = [rule.error for rule in rules if rule.qubits is None]
    if len(rules) != 1 or not errors or not isinstance(errors[0], Depolarizing):
        return None
    return errors[0].probability


def _scaled(error: GateError, scale: float) -> GateError:
    match error:
        case Depolarizing():
            return error.model_copy(update={"probability": min(1.0, error.probability * scale)})
        case PauliError():
            qubits = error.qubits
            terms = {name: p * scale for name, p in error.terms.items() if name != "I" * qubits}
            rest = max(0.0, 1.0 - sum(terms.values()))
            return error.model_copy(update={"terms": terms | {"I" * qubits: rest}})
        case AmplitudeDamping() | PhaseDamping():
            return error.model_copy(update={"gamma": min(1.0, error.gamma * scale)})
        case Thermal():
            return error.model_copy(update={"time": error.time * scale})
        case KrausError():
            raise AssertionError("most_scaled says that this one is not scaled")


def _limit(error: GateError) -> float | None:
    match error:
        case Depolarizing():
            return 1.0 / error.probability if error.probability else HIGHEST
        case PauliError():
            total = sum(p for name, p in error.terms.items() if name != "I" * error.qubits)
            return 1.0 / total if total else HIGHEST
        case AmplitudeDamping() | PhaseDamping():
            return 1.0 / error.gamma if error.gamma else HIGHEST
        case Thermal():
            return HIGHEST
        case KrausError():
            return None
