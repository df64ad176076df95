// A variational eigensolver whose parameters come from outside.
OPENQASM 3.0;
include "stdgates.inc";

const uint n = 2;
extern get_parameter(uint[8]) -> angle[16];

qubit[n] q;
bit[n] c;

for uint i in [0:n - 1] {
  angle[16] theta = get_parameter(i);
  ry(theta) q[i];
}
cx q[0], q[1];
c = measure q;
