// XY4 decoupling that asks how long its pulses are.
OPENQASM 3.0;
include "stdgates.inc";

stretch gap;
duration start = gap - 0.5 * durationof({x $0;});

box {
  delay[start] $0;
  x $0;
  delay[gap] $0;
  y $0;
}
bit c;
c = measure $0;
