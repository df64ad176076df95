// How long a qubit stays up, tabulated elsewhere.
OPENQASM 3.0;
include "stdgates.inc";

extern tabulate(int[32], int[32], int[32]);
bit c;
int[32] survived = 0;

for int p in [0:2] {
  reset $0;
  x $0;
  delay[p * 1us] $0;
  c = measure $0;
  survived += int[32](c);
  tabulate(survived, 1, p);
}
