"""Programs that the specification forbids are refused at the line that is wrong."""

import re

import pytest

from tests.testing.circuits.sampling import read
from tests.testing.refusals import problem_of

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[3] q; bit[3] c;\n'

WRONG = (
    # names
    "x r;",
    "h q[3];",
    "h q[-4];",
    "c[3] = 1;",
    "d = 1;",
    "foo q;",
    "int q;",
    "int i; int i;",
    "def f() {} f(1);",
    "g q[0]; gate g a { }",
    "gate g a { g a; }",
    "def f() { f(); } f();",
    "int i = 1; def f() -> int { return i; } i = f();",  # no const
    "for int i in [0:1] { } c[i] = 1;",
    "if (true) { int i; } i = 1;",
    "q = 1;",
    "c q[0];",
    "q;",
    # operands
    "cx q[0];",
    "cx q[0], q[0];",
    "ccx q[0], q[1], q[0];",
    "rx q[0];",
    "rx(1, 2) q[0];",
    "h(1) q[0];",
    "ctrl @ x q[0];",
    "ctrl(0) @ x q[0], q[1];",
    "ctrl(-1) @ x q[0], q[1];",
    "qubit[2] r; cx q, r;",
    "barrier c;",
    "reset c;",
    "x $0;",  # and registers
    "gate g(t) a { rx(u) a; } g(1) q[0];",
    "gate g a { x q[0]; } g q[0];",
    "gate g a { x $0; }",
    "measure c;",
    "measure q -> c[0];",
    "c = measure q[0];",
    "c = measure q[0:1];",
    # values
    "const int n = 1; n = 2;",
    "const bit n = measure q[0];",
    "int i = 1 / 0;",
    "int i = 1 % 0;",
    'bit[3] b = "01";',
    "qubit[0] r;",
    "qubit[-1] r;",
    "bit[0] b;",
    "array[int, 2] a = {1};",
    "array[int, 2] a; a[2] = 1;",
    "array[int, 2] a; int i = a[0, 0];",
    "array[int, 2] a; array[int, 3] b; a = b;",
    "def f(readonly array[int, #dim = 1] a) { a[0] = 1; } array[int, 2] b; f(b);",
    "rx(q) q[0];",
    "uint[2] u = q;",
    "let a = q[0] ++ c;",
    "let a = q[0] ++ q[0];",
    "if (q) x q[0];",
    "def f(int i) -> bit { return i; } c[0] = f(1, 2);",
    "def f(qubit r) { } f(q);",
    "def f(qubit r) { } f(1);",
    "def f() -> int { } int i = f();",
    "while (true) { x q[0]; }",
    "for int i in [0:1:100000000] { }",
    "for int i in [0:0:1] { }",
    "switch (0.5) { case 1 { } }",
    "switch (1) { case 1 { } case 1 { } }",
    "break;",
    # times
    "delay[5] q;",
    "delay[0.5] q;",
    "delay[10ns] r;",
    "box[5] { x q; }",
    "duration d = 5;",
)


@pytest.mark.parametrize("statement", WRONG)
def test_what_the_specification_forbids_is_refused_with_its_line(statement: str) -> None:
    refused = problem_of(read, {"format": "openqasm3", "source": HEAD + statement + "\nc = measure q;"})
    assert refused.status == 422
    assert refused.pointer == "/circuit/source"
    assert re.match(r"Line 4\b", refused.title), refused.title
