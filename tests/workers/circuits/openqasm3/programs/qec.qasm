// The repetition code: whichever qubit is flipped, and none as well, is read from the syndrome and set right.
OPENQASM 3.0;
include "stdgates.inc";

qubit[3] code;
qubit[2] checks;
qubit[2] dice;
bit[2] thrown;
bit[2] found;
bit[3] data;

def syndrome(qubit[3] d, qubit[2] a) -> bit[2] {
  bit[2] b;
  reset a;
  cx d[0], a[0];
  cx d[1], a[0];
  cx d[1], a[1];
  cx d[2], a[1];
  b = measure a;
  return b;
}

x code;
h dice;
thrown = measure dice;
switch (uint[2](thrown)) {
  case 0 { x code[0]; }
  case 1, 2 { x code[1]; }
  default { }
}

found = syndrome(code, checks);
uint[2] which = uint[2](found);
if (which == 1) x code[0];
else if (which == 2) x code[2];
else if (which == 3) x code[1];

data = measure code;
