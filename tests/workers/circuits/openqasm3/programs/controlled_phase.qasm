// A controlled phase of the built-in gate and its controlled form alone, beside the one of a modifier.
OPENQASM 3.0;

gate own_cx a, b { ctrl @ U(pi, 0, pi) a, b; }
gate turn(angle_) a { U(0, 0, angle_) a; }
gate own_cphase(angle_) a, b {
  turn(angle_ / 2) a;
  own_cx a, b;
  turn(-angle_ / 2) b;
  inv @ own_cx a, b;
  turn(angle_ / 2) b;
}

qubit[2] q;
bit[2] c;
bit kicked;

U(pi / 2, 0, pi) q[0];
U(pi, 0, pi) q[1];
own_cphase(pi / 3) q[0], q[1];
ctrl @ gphase(pi / 3) q[1];
ctrl @ U(0, 0, -pi / 3) q[0], q[1];
own_cphase(pi / 3) q[0], q[1];
U(pi / 2, 0, pi) q[0];
kicked = measure q[0];
c[1] = measure q[1];
