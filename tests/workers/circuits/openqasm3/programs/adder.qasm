// A ripple-carry adder (Cuccaro and others, arXiv:quant-ph/0410184): 5 + 6, and the carry.
OPENQASM 3.0;
include "stdgates.inc";

const uint width = 3;
const uint[width] left = 5;
const uint[width] right = 6;

gate maj below, here, above {
  cx above, here;
  cx above, below;
  ccx below, here, above;
}

gate uma below, here, above {
  ccx below, here, above;
  cx above, below;
  cx below, here;
}

qubit carry_in;
qubit[width] a;
qubit[width] b;
qubit carry_out;
bit[width + 1] sum;
bit[width] kept;

for uint i in [0:width - 1] {
  if (left[i]) x a[i];
  if (bool(right[i])) x b[i];
}

maj carry_in, b[0], a[0];
for uint i in [1:width - 1] maj a[i - 1], b[i], a[i];
cx a[width - 1], carry_out;
for uint i in [width - 1:-1:1] uma a[i - 1], b[i], a[i];
uma carry_in, b[0], a[0];

sum[0:width - 1] = measure b;
sum[width] = measure carry_out;
kept = measure a;
