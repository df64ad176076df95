"""MaxCut by QAOA, and a quantum kernel."""

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue
from qiskit import QuantumCircuit
from qiskit.circuit.library import unitary_overlap, zz_feature_map
from qiskit.quantum_info import Statevector

from qstill.contract.circuits.templates.answer import Answer
from qstill.contract.circuits.templates.optimisation import MaxCut, QuantumKernel
from workers.circuits.templates.evidence import FITS, SIGMA, distribution, exact_probabilities, fit, within
from workers.circuits.templates.prepared import Counts, Prepared
from workers.circuits.templates.qaoa import Problem, bits, flip_mixer

Floats = NDArray[np.float64]

MAX_LISTED = 16  # largest cuts; a graph with few edges has hundreds


def cut_problem(template: MaxCut) -> Problem:
    """Minimise -cut."""
    nodes = 1 + max(max(edge.nodes) for edge in template.edges)
    sides = bits(nodes)
    cuts = np.zeros(1 << nodes)
    linear, quadratic = np.zeros(nodes), np.zeros((nodes, nodes))
    for edge in template.edges:
        i, j = sorted(edge.nodes)
        cuts += edge.weight * (sides[:, i] != sides[:, j])
        linear[[i, j]] -= edge.weight  # x_i + x_j - 2 x_i x_j is 1 where the edge is cut
        quadratic[i, j] += 2 * edge.weight
    uniform = np.full(1 << nodes, 2 ** (-nodes / 2))
    return Problem(-cuts, linear, quadratic, float(cuts.std()) or 1.0, flip_mixer(nodes), uniform)


def maxcut(template: MaxCut, *, seed: int, between: Callable[[], None]) -> Prepared:
    """The largest cut is known from computing all of them; QAOA's angles minimise the mean of -cut."""
    problem = cut_problem(template)
    nodes, cuts, scale = problem.qubits, -problem.costs, problem.scale
    found = problem.optimise(layers=template.layers, seed=seed, between=between)
    circuit = QuantumCircuit(nodes, nodes)
    circuit.compose(problem.ansatz(template.layers).assign_parameters(found.angles), inplace=True)
    circuit.measure(range(nodes), range(nodes))
    expected = distribution(found.probabilities, nodes)
    largest = float(cuts.max())
    optimal = [_key(index, nodes) for index in np.flatnonzero(np.isclose(cuts, largest)).tolist()]

    def interpret(counts: Counts, shots: int) -> Answer:
        best = max(sorted(counts), key=lambda key: cuts[int(key, 2)])
        cut = float(cuts[int(best, 2)])
        mean = float(sum(cuts[int(key, 2)] * count for key, count in counts.items()) / shots)
        tested = fit(counts, shots, expected)
        return Answer(
            summary=f"The best cut among {shots:,} shots weighs {cut:g}; the largest there is weighs {largest:g}.",
            found={"cut": cut, "partition": best},
            expected={"cut": largest},
            agrees=tested.good and best in optimal,
            criterion=f"{FITS} The best cut that was read is a largest one.",
            figures={
                "mean_cut": mean,
                "mean_cut_theory": -found.mean_cost * scale,
                "mean_cut_at_random": float(cuts.mean()),
                "probability_of_largest": sum(counts.get(key, 0) for key in optimal) / shots,
                "probability_of_largest_theory": sum(expected.get(key, 0.0) for key in optimal),
                "probability_of_largest_at_random": len(optimal) / (1 << nodes),
                "largest_cuts": list[JsonValue](optimal[:MAX_LISTED]),
                "trace": [-cost * scale for cost in found.trace],
                "beta": list[JsonValue](found.angles[: template.layers]),
                "gamma": list[JsonValue](found.angles[template.layers :]),
                **tested.figures(),
            },
        )

    return Prepared(circuit, interpret)


def _key(index: int, qubits: int) -> str:
    return format(index, f"0{qubits}b")


def kernel(template: QuantumKernel, *, seed: int, between: Callable[[], None]) -> Prepared:
    """k(x, y) = |⟨φ(x)|φ(y)⟩|² from exact feature states; the circuit measures it for two training rows."""
    from sklearn.svm import SVC  # a second to import, which no other circuit should pay

    train, train_labels, test, test_labels = _rows(template, seed)
    feature_map = zz_feature_map(template.features, template.repetitions)
    states = []
    for row in np.concatenate([train, test]):
        between()
        states.append(Statevector(feature_map.assign_parameters(row)).data)
    stacked = np.array(states)
    overlaps = np.abs(stacked @ stacked[: len(train)].conj().T) ** 2
    quantum = SVC(kernel="precomputed").fit(overlaps[: len(train)], train_labels)
    quantum_accuracy = float(quantum.score(overlaps[len(train) :], test_labels))
    control_accuracy = float(SVC(kernel="rbf").fit(train, train_labels).score(test, test_labels))
    majority = max(float(np.mean(test_labels)), 1 - float(np.mean(test_labels)))

    closeness = overlaps[0, 1 : len(train)]
    other = 1 + int(np.argmin(np.abs(closeness - 0.5)))  # neither the same nor orthogonal
    exact = float(overlaps[0, other])
    overlap = unitary_overlap(feature_map.assign_parameters(train[0]), feature_map.assign_parameters(train[other]))
    qubits = range(template.features)
    circuit = QuantumCircuit(template.features, template.features)
    circuit.compose(overlap, inplace=True)
    expected = distribution(exact_probabilities(circuit), template.features)
    circuit.measure(qubits, qubits)

    def interpret(counts: Counts, shots: int) -> Answer:
        found = counts.get("0" * template.features, 0) / shots
        deviation = sqrt(exact * (1 - exact) / shots)
        tested = fit(counts, shots, expected)
        figures: dict[str, JsonValue] = {
            "rows": [0, other],
            "x": train[0].tolist(),
            "y": train[other].tolist(),
            "standard_error": deviation,
            "kernel_of_training_rows": overlaps[: len(train)].tolist(),
            "accuracy": {"quantum_kernel": quantum_accuracy, "rbf_kernel": control_accuracy, "majority": majority},
            "test_rows": len(test),
            **tested.figures(),
        }
        return Answer(
            summary=f"The overlap of two rows is {found:.3f}, exactly {exact:.3f}. With the exact kernel a support "
            f"vector machine classifies {quantum_accuracy:.1%} of the test rows, with a classical one (RBF) "
            f"{control_accuracy:.1%}.",
            found=found,
            expected=exact,
            agrees=tested.good and within(found, exact, deviation),
            criterion=f"{FITS} The overlap lies within {SIGMA} standard errors of the exact one.",
            figures=figures,
        )

    return Prepared(circuit, interpret)


def _rows(template: QuantumKernel, seed: int) -> tuple[Floats, Any, Floats, Any]:
    """Principal components, fitted to the training rows and scaled to [0, bandwidth] there; labels 0 and 1."""
    from sklearn import datasets
    from sklearn.decomposition import PCA
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    loaders = {"iris": datasets.load_iris, "wine": datasets.load_wine, "breast_cancer": datasets.load_breast_cancer}
    rows, labels = loaders[template.dataset](return_X_y=True)
    chosen = labels > 0 if template.dataset == "iris" else labels < 2
    rows, labels = rows[chosen], labels[chosen] - labels[chosen].min()
    train, test, train_labels, test_labels = train_test_split(
        rows,
        labels,
        train_size=template.train,
        test_size=template.test,
        stratify=labels,
        random_state=seed % 2**32,
    )
    components = make_pipeline(StandardScaler(), PCA(template.features), MinMaxScaler((0, template.bandwidth)))
    return components.fit_transform(train), train_labels, components.transform(test), test_labels
