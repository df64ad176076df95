// The Fourier transform of |0⟩ + |4⟩ on three qubits: the even numbers.
OPENQASM 3.0;
include "stdgates.inc";

qubit[3] q;
bit[3] c;

h q[2];
barrier q;
for int i in [2:-1:0] {
  h q[i];
  for int j in [i - 1:-1:0] cp(pi / 2 ** (i - j)) q[j], q[i];
}
swap q[0], q[2];
c = measure q;
