// A variational circuit, one Pauli operator of it measured three times: how often its eigenvalue was -1.
OPENQASM 3.0;
include "stdgates.inc";

const uint n = 2;
const uint shots = 3;
const float theta = 1.1;

def x_measurement(qubit q) -> bit {
  h q;
  return measure q;
}

def y_measurement(qubit q) -> bit {
  sdg q;
  h q;
  return measure q;
}

// The first n bits say where the operator has an X, the others where it has a Z; both make a Y.
def pauli_measurement(bit[2 * n] spec, qubit[n] q) -> bit {
  bit parity = 0;
  for uint i in [0:n - 1] {
    bit here = 0;
    if (spec[i] == 1 && spec[n + i] == 0) here = x_measurement(q[i]);
    if (spec[i] == 0 && spec[n + i] == 1) here = measure q[i];
    if (spec[i] == 1 && spec[n + i] == 1) here = y_measurement(q[i]);
    parity ^= here;
  }
  return parity;
}

def ansatz(qubit[n] q) {
  for uint i in [0:n - 1] ry(theta) q[i];
  for uint i in [0:n - 2] cx q[i], q[i + 1];
}

def minus_ones(bit[2 * n] spec, qubit[n] q) -> uint[2] {
  uint[2] count = 0;
  for uint shot in [1:shots] {
    reset q;
    ansatz(q);
    count += uint[2](pauli_measurement(spec, q));
  }
  return count;
}

qubit[n] q;
output uint[2] count;
count = minus_ones("0110", q); // X on q[1], Z on q[0]
