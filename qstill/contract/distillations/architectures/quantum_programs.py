"""Programs for cards that run a circuit: plain torch, over `weights`, `architecture` and `card`.

Qubit 0 is the lowest bit of a basis state's number, and acts last in a string of Pauli letters.
"""

_STATES = """

def bits(qubit, qubits):
    return (torch.arange(1 << qubits) >> qubit) & 1


def turned(state, matrix, qubit):
    parts = state.view(len(state), -1, 2, 1 << qubit)
    first, second = parts[:, :, 0], parts[:, :, 1]
    rows = [matrix[i][0] * first + matrix[i][1] * second for i in range(2)]
    return torch.stack(rows, 2).reshape(state.shape)


def strings(kind, n):
    if kind == "z":
        return [{(qubit,): "Z"} for qubit in range(n)]
    return [{(a, b): "ZZ"} for a in range(n) for b in range(a + 1, n)]


def mean_of(state, letters, n):
    numbers, flipped, factor = torch.arange(1 << n), 0, torch.ones(1 << n, dtype=state.dtype)
    for qubit, letter in letters.items():
        flipped |= (letter in "XY") << qubit
    for qubit, letter in letters.items():
        sign = 1 - 2 * bits(qubit, n)[numbers ^ flipped]
        factor = factor * {"I": 1, "X": 1, "Y": 1j * sign, "Z": sign}[letter]
    return (state.conj() * factor * state[:, numbers ^ flipped]).sum(1).real


def observed(state, n):
    columns = []
    for wanted in architecture["observables"]:
        if wanted in ("z", "zz"):
            columns += [mean_of(state, dict(zip(*next(iter(s.items())))), n) for s in strings(wanted, n)]
            continue
        total = 0
        for term in wanted["terms"]:
            qubits = term.get("qubits") or range(n)[::-1]
            total = total + term.get("coefficient", 1) * mean_of(state, dict(zip(qubits, term["paulis"])), n)
        columns.append(total)
    return torch.stack(columns, 1)


def begun(x, n):
    encoding = architecture["encoding"]
    if encoding["inputs"] == "raw":
        x = x * weights["std"] + weights["mean"]
    x = x.flatten(1)
    state = torch.zeros(len(x), 1 << n, dtype=torch.complex64)
    if encoding["kind"] == "amplitude":
        state[:, : x.shape[1]] = (x / x.norm(dim=1, keepdim=True)).to(state.dtype)
        return state, x
    state[:, 0] = 1
    x = x.arctan() if encoding["turn"] == "arctan" else x
    return state, x * weights["gain"] if "gain" in weights else x
"""

QUANTUM_PROGRAM = (
    _STATES
    + """

def ry(state, angle, qubit):
    half = torch.as_tensor(angle).view(-1, 1, 1) / 2
    return turned(state, [[half.cos(), -half.sin()], [half.sin(), half.cos()]], qubit)


def rz(state, angle, qubit, qubits):
    return state * torch.exp(1j * angle * (bits(qubit, qubits) - 0.5))


def cx(state, control, target, qubits):
    numbers = torch.arange(1 << qubits)
    return state[:, numbers ^ (bits(control, qubits) << target)]


def pairs(kind, layer, n):
    line = [(qubit, qubit + 1) for qubit in range(n - 1)]
    if kind == "brickwork":
        return line[layer % 2 :: 2]
    if kind == "full":
        return [(a, b) for a in range(n) for b in range(a + 1, n)]
    return {"none": [], "line": line, "ring": line + [(n - 1, 0)] * (n > 2)}[kind]


def network(x):
    n, encoding = architecture["qubits"], architecture["encoding"]
    state, x = begun(x, n)
    for layer in range(architecture["layers"]):
        if encoding["kind"] == "angle" and (layer == 0 or encoding["upload_again"]):
            for qubit in range(x.shape[1]):
                state = ry(state, x[:, qubit], qubit)
        for qubit in range(n):
            angles = weights["angles"][layer, :, qubit]
            state = rz(ry(state, angles[0], qubit), angles[1], qubit, n)
        for control, target in pairs(architecture["entanglement"], layer, n):
            state = cx(state, control, target, n)
    return linear("head", observed(state, n))

"""
)

CIRCUIT_PROGRAM = (
    """
import ast
import math
import operator
"""
    + _STATES
    + """

ARITHMETIC = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
PAULIS = {"x": [[0, 1], [1, 0]], "y": [[0, -1j], [1j, 0]], "z": [[1, 0], [0, -1]]}
PHASES = {"s": 0.5, "si": -0.5, "t": 0.25, "ti": -0.25}


def value(node, numbers):  # of an angle: sums, products and quotients of numbers and names
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return math.pi if node.id == "pi" else numbers[node.id]
    if isinstance(node, ast.UnaryOp):
        return -value(node.operand, numbers)
    return ARITHMETIC[type(node.op)](value(node.left, numbers), value(node.right, numbers))


def matrix_of(gate, angle):
    if gate == "h":
        return [[0.5**0.5, 0.5**0.5], [0.5**0.5, -(0.5**0.5)]]
    if gate in ("v", "vi"):
        a, b = (0.5 + 0.5j, 0.5 - 0.5j) if gate == "v" else (0.5 - 0.5j, 0.5 + 0.5j)
        return [[a, b], [b, a]]
    if gate in PHASES:
        return [[1, 0], [0, 1j ** (2 * PHASES[gate])]]
    if angle is None:
        return PAULIS[gate]
    angle = torch.as_tensor(angle).view(-1, 1, 1)
    cos, sin = (angle / 2).cos(), (angle / 2).sin()
    if gate == "z":
        return [[1, 0], [0, torch.exp(1j * angle)]]
    if gate == "rz":
        return [[torch.exp(-0.5j * angle), 0], [0, torch.exp(0.5j * angle)]]
    return [[cos, -1j * sin], [-1j * sin, cos]] if gate == "rx" else [[cos, -sin], [sin, cos]]


def applied(state, gate, targets, angle, n):
    if gate == "swap":
        a, b = targets
        differ = bits(a, n) ^ bits(b, n)
        return state[:, torch.arange(1 << n) ^ (differ << a) ^ (differ << b)]
    if gate in ("xx", "yy", "zz"):
        both = turned(turned(state, PAULIS[gate[0]], targets[0]), PAULIS[gate[0]], targets[1])
        half = torch.as_tensor(angle).view(-1, 1) / 2
        return half.cos() * state - 1j * half.sin() * both
    for qubit in targets:
        state = turned(state, matrix_of(gate, angle), qubit)
    return state


def network(x):
    circuit = card["circuit"]  # in gates that have one name each; angles by the names of weights and inputs
    state, x = begun(x, circuit["qubits"])
    numbers = dict(zip(circuit["weights"], weights["angles"])) | dict(zip(circuit["inputs"], x.unbind(1)))
    for each in circuit["operations"]:
        if each["gate"] == "barrier":
            continue
        angle = each.get("rotation")
        if isinstance(angle, str):
            angle = value(ast.parse(angle, mode="eval").body, numbers)
        targets = each["targets"] if "targets" in each else [each["target"]]
        controls = each.get("controls", [each["control"]] if "control" in each else [])
        new, on = applied(state, each["gate"], targets, angle, circuit["qubits"]), 1
        for qubit in controls:
            on = on * bits(qubit, circuit["qubits"])
        state = torch.where(torch.as_tensor(on) == 1, new, state)
    return linear("head", observed(state, circuit["qubits"]))

"""
)
