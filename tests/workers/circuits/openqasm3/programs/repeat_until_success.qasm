// Rz(θ) with cos θ = 3/5 from Clifford gates and two Toffolis, tried until it worked (Nielsen and Chuang, exercise 4.41).
OPENQASM 3.0;
include "stdgates.inc";

def attempt(qubit[2] helpers, qubit psi) -> bit[2] {
  bit[2] flags;
  reset helpers;
  h helpers;
  ccx helpers[0], helpers[1], psi;
  s psi;
  ccx helpers[0], helpers[1], psi;
  h helpers;
  measure helpers -> flags;
  return flags;
}

qubit psi;
qubit[2] helpers;
bit[2] flags = "11";
bit back;

h psi;
while (int[3](flags) != 0) {
  flags = attempt(helpers, psi);
  if (flags != "00") z psi;
}
rz(-arccos(0.6)) psi;
h psi;
back = measure psi;
