// Process tomography: a rotation before and one after what is looked at.
OPENQASM 3.0;
include "stdgates.inc";

gate before q { h q; }
gate after q { sdg q; h q; }

qubit q;
bit c;
reset q;
before q;
barrier q;
rz(0.7) q;
barrier q;
after q;
c = measure q;
