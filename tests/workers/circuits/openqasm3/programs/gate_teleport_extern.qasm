// A vote by a function from elsewhere.
OPENQASM 3.0;
include "stdgates.inc";

const uint n = 3;
extern vote(bit[n]) -> bit;

def logical_measurement(qubit[n] d) -> bit {
  bit[n] c;
  c = measure d;
  return vote(c);
}

qubit[n] a;
bit r;
x a;
r = logical_measurement(a);
