// The inverse Fourier transform of measured qubits, fed back: the register is compared as an integer.
OPENQASM 3.0;
include "stdgates.inc";

const uint[3] k = 5;
qubit[3] q;
bit[3] c = "000";

h q;
for uint j in [0:2] p(2 * pi * k / 2.0 ** (j + 1)) q[j];
barrier q;

h q[0];
c[0] = measure q[0];
if (uint[3](c) == 1) p(-pi / 2) q[1];
h q[1];
c[1] = measure q[1];
if (uint[3](c) == 1) p(-pi / 4) q[2];
if (uint[3](c) == 2) p(-pi / 2) q[2];
if (uint[3](c) == 3) p(-pi * 3 / 4) q[2];
h q[2];
c[2] = measure q[2];
