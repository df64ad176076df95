"""Wide and shallow circuits as matrix product states (Vidal 2003, quant-ph/0301063), by Aer, with what was cut off."""

import re
from math import asin, cos, pi, prod, sqrt
from typing import Any

from workers.circuits.engines import aer, final_state
from workers.circuits.engines.dynamic.branching import without_idle_qubits
from workers.circuits.engines.final_state import means, save_observables
from workers.circuits.program import Ask, Program, Sample

_DISCARDED = re.compile(r"discarded_value=([0-9.eE+-]+)")
_BOND = re.compile(r"BD=\[([0-9 ]+)\]")
WHOLE_SAMPLE = "mps_probabilities"  # walks along the state for each shot, several times sooner than by a copy of it
EXACT_THRESHOLD = 1e-16  # Aer's own: below the rounding of a double


def sample(program: Program, ask: Ask) -> Sample:
    """Counts and expectation values, with a bound on the fidelity where Schmidt coefficients were cut off."""
    ask.between()
    if not program.shape.active:
        return final_state.sample(program, ask)
    prepare = aer.prepare("matrix_product_state")
    if program.shape.dynamic:
        circuit = without_idle_qubits(program, prepare)
    else:
        circuit = program.final(prepare)
        save_observables(circuit, program)
        circuit.add_bits(program.circuit.clbits)
        for clbit, qubit in program.shape.source.items():
            if qubit in program.shape.active:
                circuit.measure(qubit, clbit)
    cuts = ask.max_bond_dimension is not None or ask.truncation_threshold > EXACT_THRESHOLD
    options: dict[str, Any] = {"matrix_product_state_truncation_threshold": ask.truncation_threshold}
    if not program.shape.dynamic and len(program.measured) == len(program.shape.active):
        options["mps_sample_measure_algorithm"] = WHOLE_SAMPLE
    if ask.max_bond_dimension is not None:
        options["matrix_product_state_max_bond_dimension"] = ask.max_bond_dimension
    result = aer.run(
        aer.translate(circuit, "matrix_product_state"),
        "matrix_product_state",
        threads=ask.threads,
        shots=ask.shots,
        seed=ask.seed,
        mps_log_data=cuts,
        enable_truncation=not program.shape.dynamic,  # it forgets qubits that are branched on but never measured
        **options,
    )
    data = result.data(0)
    width = program.circuit.num_clbits
    outcomes = sorted((int(key, 16), count) for key, count in data.get("counts", {"0x0": ask.shots}).items())
    counts = {format(outcome, f"0{width}b"): count for outcome, count in outcomes}
    log = str(result.results[0].metadata.get("MPS_log_data", ""))
    return Sample(counts=counts, expectations=means(program, data), **_cut_off(log))


def _cut_off(log: str) -> dict[str, Any]:
    """What a log of Aer's says: the largest bond, and the fidelity that is left.

    A step that discards the weight δ turns the state by arcsin √δ at most, and angles add up at worst; the usual
    estimate is the product of all 1 - δ.
    """
    bonds = [int(bond) for found in _BOND.findall(log) for bond in found.split()]
    if not bonds:
        return {}
    discarded = [min(1.0, float(weight)) for weight in _DISCARDED.findall(log)]
    turned = sum(asin(sqrt(weight)) for weight in discarded)
    at_least = cos(turned) ** 2 if turned < pi / 2 else 0.0
    remark = f"bond dimension {max(bonds)}"
    if not discarded:
        return {"remark": f"{remark}, nothing cut off"}
    estimate = prod(1 - weight for weight in discarded)
    remark += f"; Schmidt weight cut off in {len(discarded)} steps, fidelity estimated {estimate:.6g}"
    return {"remark": remark, "fidelity": at_least, "kind": "truncated"}
