// A memory of two by two qubits: a star and two plaquettes are measured in turn and must not change.
OPENQASM 3.0;
include "stdgates.inc";

const uint d = 2;
const uint cycles = 4;

qubit[d ** 2] data;
qubit[3] ancilla;
bit[3] layer;
bit[3] before;
bit[d * d] outcome;
bit star;
bit changed = 0;
bit[1] plaquettes;

def cycle(qubit[d ** 2] data, qubit[3] ancilla) -> bit[3] {
  reset ancilla;
  h ancilla[0];
  for uint row in [0:d - 1] {
    for uint column in [0:d - 1] {
      cx ancilla[0], data[row * d + column];
      if ((row + column) % 2 == 0 || row == 0) cx data[row * d + column], ancilla[1 + row];
      else cx data[row * d + column], ancilla[1 + 1];
    }
  }
  h ancilla[0];
  return measure ancilla;
}

before = cycle(data, ancilla);
for uint i in [2:cycles] {
  layer = cycle(data, ancilla);
  if (layer != before) changed = 1;
  before = layer;
}
star = layer[0];
plaquettes[0] = layer[1] | layer[2];
outcome = measure data;
