// A state goes through as many pairs as a constant says.
OPENQASM 3.0;
include "stdgates.inc";

const uint pairs = 3;

def bell(qubit[2] q) {
  reset q;
  h q[0];
  cx q[0], q[1];
}

def plus(qubit q) {
  reset q;
  h q;
}

qubit first;
qubit[2 * pairs] q;
bit read;

plus(first);
rz(pi / 4) first;

for uint i in [0:pairs - 1] {
  let pair = q[2 * i:2 * i + 1];
  bit[2] seen;
  bell(pair);
  if (i == 0) {
    cx first, pair[0];
    h first;
    seen[0] = measure first;
  } else {
    cx q[2 * i - 1], pair[0];
    h q[2 * i - 1];
    seen[0] = measure q[2 * i - 1];
  }
  seen[1] = measure pair[0];
  if (seen[0] == 1) z pair[1];
  if (seen[1] == 1) x pair[1];
}

let last = q[-1];
rz(-pi / 4) last;
h last;
read = measure last;
