// XY4 decoupling: four pulses between delays leave |+⟩ alone.
OPENQASM 3.0;
include "stdgates.inc";

const duration gap = 100ns;
qubit q;
bit c;

h q;
box[1us] {
  delay[gap / 2] q;
  x q;
  delay[gap] q;
  y q;
  delay[gap] q;
  x q;
  delay[gap] q;
  y q;
  delay[gap / 2] q;
}
h q;
c = measure q;
