// A state goes from one qubit to another with two bits.
OPENQASM 3.0;
include "stdgates.inc";

qubit sender;
qubit[2] pair;
bit sign;
bit parity;
bit arrived;

ry(1.2) sender;

h pair[0];
cx pair[0], pair[1];

cx sender, pair[0];
h sender;
sign = measure sender;
measure pair[0] -> parity;

if (parity == 1) x pair[1];
if (sign) { z pair[1]; }

arrived = measure pair[1];
