// The inverse Fourier transform of measured qubits, fed back bit by bit; the state is a superposition of 5 and 2.
OPENQASM 3.0;
include "stdgates.inc";

qubit[3] q;
qubit which;
bit b0;
bit b1;
bit b2;
bit w;

h which;
h q;
// exp(2πi·k·2^-(j+1)) on qubit j for k = 5 where `which` is 0, for k = 2 where it is 1
p(5 * pi) q[0];
p(5 * pi / 2) q[1];
p(5 * pi / 4) q[2];
cp(-3 * pi) which, q[0];
cp(-3 * pi / 2) which, q[1];
cp(-3 * pi / 4) which, q[2];

h q[0];
measure q[0] -> b0;
if (b0) p(-pi / 2) q[1];
h q[1];
measure q[1] -> b1;
if (b0 == true) p(-pi / 4) q[2];
if (b1 == 1) p(-pi / 2) q[2];
h q[2];
measure q[2] -> b2;
w = measure which;
