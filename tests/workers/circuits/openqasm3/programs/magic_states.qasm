// Magic states, kept when a swap test finds two of them alike, and then spent on four rotations by π/4: together X.
OPENQASM 3.0;
include "stdgates.inc";

const uint size = 4;

def y_measurement(qubit q) -> bit {
  sdg q;
  h q;
  return measure q;
}

// True if the two may be the same state.
def alike(qubit one, qubit other, qubit judge) -> bool {
  reset judge;
  h judge;
  cswap judge, one, other;
  h judge;
  bit different = measure judge;
  return !different;
}

def prepare(qubit one, qubit other, qubit judge) {
  bool success = false;
  while (!success) {
    reset one;
    reset other;
    ry(pi / 4) one;
    ry(pi / 4) other;
    success = alike(one, other, judge);
  }
}

def turn(int[32] address, qubit q, qubit[size] buffer) {
  cy buffer[address], q;
  bit outcome = y_measurement(buffer[address]);
  if (outcome == 1) ry(pi / 2) q;
}

qubit[size] buffer;
qubit judge;
qubit q;
bit c;
int[32] address = 0;

for uint i in [0:2:size - 2] prepare(buffer[i], buffer[i + 1], judge);

while (address < size) {
  turn(address, q, buffer);
  address += 1;
}
c = measure q;
