// Iterative phase estimation of 2π·5/16: an angle holds the digits, and shifting it halves what they weigh.
OPENQASM 3.0;
include "stdgates.inc";

const uint n = 4;
const float turn = 2 * pi * 5 / 16;
qubit probe;
qubit target;
angle[n] digits = 0;
uint[n] power = 1 << (n - 1);

x target;
for uint step in [1:n] {
  digits >>= 1;
  reset probe;
  h probe;
  ctrl @ pow(power) @ p(turn) probe, target;
  inv @ p(digits) probe;
  h probe;
  digits[n - 1] = measure probe;
  power >>= 1;
}

bit[n] result = bit[n](digits);
