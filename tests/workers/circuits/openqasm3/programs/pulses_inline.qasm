// A pulse between gates.
OPENQASM 3.0;
include "stdgates.inc";

qubit q;
cal {
  shift_phase(drive($0), 0.1);
}
x q;
