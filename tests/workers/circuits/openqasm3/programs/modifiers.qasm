// Modifiers: controls of both kinds, powers, inverses, and what they do to a phase.
OPENQASM 3.0;
include "stdgates.inc";

gate both a, b { x a; x b; }

qubit[6] q;
bit[6] c;

ctrl(2) @ x q[0], q[1], q[2];                 // not done: q[0] and q[1] are 0
negctrl(2) @ x q[0], q[1], q[2];              // done
negctrl @ ctrl @ both q[0], q[2], q[3], q[4]; // done: q[0] is 0, q[2] is 1
inv @ pow(2) @ sx q[5];                       // x
pow(-1) @ s q[5];
inv @ inv @ both q[3], q[4];                  // back to 0
h q[1];
ctrl @ pow(2) @ gphase(pi / 2) q[1];          // z
h q[1];                                       // 1
h q[0];
pow(1 / 2.0) @ z q[0];                        // s
ctrl @ inv @ s q[2], q[0];                    // sdg, for q[2] is 1
h q[0];                                       // 0
c = measure q;
