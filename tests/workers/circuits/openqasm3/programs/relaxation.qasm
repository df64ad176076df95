// How long a qubit stays up: here, where no noise is, for ever.
OPENQASM 3.0;
include "stdgates.inc";

const duration stride = 1us;
const uint points = 3;
const uint shots = 2;

qubit q;
bit c;
output uint[4] survived;
survived = 0;

for uint point in [0:points - 1] {
  for uint shot in [1:shots] {
    reset q;
    x q;
    delay[point * stride] q;
    delay[500 ns] q;
    c = measure q;
    survived += uint[4](c);
  }
}
