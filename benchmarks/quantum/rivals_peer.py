"""The rivals' side of that benchmark: `python -P rivals_peer.py tensorcircuit|estimator work.npz`.

Prints JSON: the first step's loss, CPU seconds of the first step, and their median for those after it.
"""

import json
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

STEPS = 9


def tensorcircuit(rows: Any, labels: Any, turns: Any, head: Any) -> Callable[[], float]:
    import jax
    import jax.numpy as jnp
    import tensorcircuit as tc

    tc.set_backend("jax")
    tc.set_dtype("complex64")
    layers, _, qubits = turns.shape

    def means(row: Any, turns: Any) -> Any:
        circuit = tc.Circuit(qubits)
        for qubit in range(qubits):
            circuit.ry(qubit, theta=row[qubit])
        for layer in range(layers):
            for qubit in range(qubits):
                circuit.ry(qubit, theta=turns[layer, 0, qubit])
            for qubit in range(qubits):
                circuit.rz(qubit, theta=turns[layer, 1, qubit])
            for qubit in range(qubits):
                circuit.cx(qubit, (qubit + 1) % qubits)
        return jnp.real(jnp.stack([circuit.expectation_ps(z=[qubit]) for qubit in range(qubits)]))

    def loss(weights: Any) -> Any:
        logits = jax.vmap(means, (0, None))(rows, weights[0]) @ weights[1]
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1).mean()

    @jax.jit
    def stepped(weights: Any, first: Any, second: Any, count: Any) -> Any:
        """A step of Adam."""
        value, slopes = jax.value_and_grad(loss)(weights)
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, slopes)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, slopes)
        rate = 0.01 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-8), weights, first, second)
        return value, weights, first, second, count + 1

    weights = (jnp.array(turns), jnp.array(head))
    nothing = jax.tree.map(jnp.zeros_like, weights)
    kept = [weights, nothing, nothing, jnp.array(1.0)]

    def step() -> float:
        value, *kept[:] = stepped(*kept)
        return float(value)

    return step


def estimator(rows: Any, labels: Any, turns: Any, head: Any) -> Callable[[], float]:
    """The circuit's part of a step, forward and backward, is all that is timed: its own gradient, no optimizer."""
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector
    from qiskit.primitives import StatevectorEstimator
    from qiskit.quantum_info import SparsePauliOp
    from qiskit_machine_learning.neural_networks import EstimatorQNN

    layers, _, qubits = turns.shape
    x, w = ParameterVector("x", qubits), ParameterVector("w", turns.size)
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits):
        circuit.ry(x[qubit], qubit)
    for layer in range(layers):
        for axis, turn in enumerate((circuit.ry, circuit.rz)):
            for qubit in range(qubits):
                turn(w[(2 * layer + axis) * qubits + qubit], qubit)
        for qubit in range(qubits):
            circuit.cx(qubit, (qubit + 1) % qubits)
    sums = [SparsePauliOp.from_sparse_list([("Z", [qubit], 1)], qubits) for qubit in range(qubits)]
    network = EstimatorQNN(
        circuit=circuit,
        estimator=StatevectorEstimator(),
        observables=sums,
        input_params=list(x),
        weight_params=list(w),
        default_precision=0.0,
    )

    def step() -> float:
        logits = network.forward(rows, turns.flatten()) @ head
        logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        network.backward(rows, turns.flatten())
        return float(-logs[np.arange(len(labels)), labels].mean())

    return step


def main() -> None:
    with np.load(sys.argv[2]) as work:
        given = {name: work[name] for name in work.files}
    step = {"tensorcircuit": tensorcircuit, "estimator": estimator}[sys.argv[1]](**given)
    seconds = []
    for _ in range(STEPS if sys.argv[1] == "tensorcircuit" else 2):
        start = time.process_time()
        value = step()
        seconds.append(time.process_time() - start)
        if len(seconds) == 1:
            loss = value
    print(json.dumps({"loss": loss, "first": seconds[0], "step": median(seconds[1:])}))


if __name__ == "__main__":
    main()
