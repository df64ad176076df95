// The phase S on a logical qubit of the repetition code, by a magic state, a vote and a correction.
OPENQASM 3.0;
include "stdgates.inc";

const uint n = 3;

def vote(bit[n] c) -> bit {
  return (c[0] & c[1]) | (c[0] & c[2]) | (c[1] & c[2]);
}

def logical_measurement(qubit[n] d) -> bit {
  bit[n] c;
  c = measure d;
  return vote(c);
}

def plus(qubit[n] d) {
  h d[0];
  for uint i in [1:n - 1] cx d[0], d[i];
}

qubit[n] q;
qubit[n] a;
bit r;
bit[n] c;

plus(q);
plus(a);
rz(pi / 2) a[0];

cx q, a;
r = logical_measurement(a);
if (r == 1) z q;

// undone: the logical qubit is |+⟩ again
rz(-pi / 2) q[0];
for uint i in [1:n - 1] cx q[0], q[i];
h q[0];
c = measure q;
