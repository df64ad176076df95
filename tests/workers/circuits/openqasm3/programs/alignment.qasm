// A gate in the middle of another one's time.
OPENQASM 3.0;
include "stdgates.inc";

stretch g;

qubit[3] q;
bit[3] c;
barrier q;
h q[0];
cx q[0], q[1];
delay[g] q[2];
U(pi / 3, 0, pi / 2) q[2];
delay[2 * g] q[2];
barrier q;
c = measure q;
