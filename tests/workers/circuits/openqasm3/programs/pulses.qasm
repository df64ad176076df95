// Gates by their pulses.
OPENQASM 3.0;
defcalgrammar "openpulse";

defcal x $0 {
  play(drive($0), gaussian(100, 30, 5));
}

defcal measure $0 -> bit {
  return capture(acquire($0), 2048);
}

bit c;
x $0;
c = measure $0;
