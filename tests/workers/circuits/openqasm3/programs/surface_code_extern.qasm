// A quantum memory whose syndromes are sent to a decoder elsewhere.
OPENQASM 3.0;
include "stdgates.inc";

const uint d = 2;
extern send(bit[2], int, int);

qubit[d * d] data;
qubit[2] ancilla;
bit[2] layer;

for int cycle in [1:3] {
  layer = measure ancilla;
  send(layer, cycle, d);
}
