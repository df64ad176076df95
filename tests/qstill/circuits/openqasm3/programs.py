"""Programs that cover the grammar of OpenQASM 3 rule by rule, and programs that break it; ‖ parts them.

White space other than blanks is written as ␊, ␍, ␉ and ␌.
"""

_PROGRAMS = r"""
OPENQASM 3; ‖ OPENQASM 3.1; x q; ‖ // first␊OPENQASM 3.0; /* a␊b */ x q; // end
include "stdgates.inc"; include 'it"s'; ‖ pragma one two // three␊#pragma { ; "␊x q;
@note␊x q; @a.b.c  text; more // no comment ␍␊@second␊int i;
defcalgrammar "openpulse"; cal { play(d0, { 1 }); } cal {} cal /* a */ {␊}
defcal rx(angle[20] t, 0.5, pi/2, a + 1 << 2,) $0, q -> bit { shift { } } defcal measure $0 {} defcal reset q,{ }
defcal delay(qubit q, qreg r[2], bit[3](x), float(y) * 2, "01", -1, f(x)) $1 -> complex[float[32]] {a} x q;
defcal if stretch, pragma {} ‖ bit b; ‖ bit[4] b; ‖ bit[n + 1] b = "0_1"; ‖ int i; ‖ int[8] i = -3; ‖ uint[2 * n] u;
float f = .5; ‖ float[64] f; ‖ angle a; ‖ angle[16] a = pi / 2; ‖ array[duration, 2] a; ‖ bool b = true;
duration d = 3.5us; ‖ stretch s; ‖ complex c; ‖ complex[float] c; ‖ complex[float[n]] c = 1 + 2.5im;
array[int[8], 2, n + 1] a;
array[bit, 3] a = {0, 1, {}, {1, 2,},}; array[complex[float], 1] b = {x}; array[bool, 2,] c; ‖ array[duration, 2] a;
const int n = 3; ‖ const bit[2] b = measure q; ‖ const float f = {1, 2}; ‖ input angle a; ‖ output bit[3] b;
input array[int, 2] a; ‖ qubit q; ‖ qubit[3] q; ‖ qubit[n] q; ‖ qreg q; ‖ qreg q[4]; ‖ creg c; ‖ creg c[4];
let a = q; ‖ let a = q[0:2] ++ r ++ s[{1, 2,}]; ‖ let a = b[0][1:2:3];
gate g q {} gate g() a, b, {x a;} gate g(t,) a {rx(t) a;}
gate g(t, u) a, b {ctrl @ p(t) a, b; barrier a; let c = a;}
gate g a { creg c; const int i = 3; gphase(1); box { x a; } delay[1ns] a; f(x); for int i in [0:1] x a; }
def f() {} def f(int a, qubit q, qubit[2] r, qreg s, qreg t[3], creg c, bit[2] d,) -> bit { return measure q; }
def f(readonly array[int[8], 2, 3] a, mutable array[float, #dim = n] b) { return; return a[0] + 1; }
def f() { if (a) { return; } for int i in [0:1] return; { return; } switch (a) { case 1 { return; } } }
extern f(); extern f(int, creg, creg[2], bit[3], readonly array[int, 2], mutable array[bit, #dim = 1],) -> angle;
x q; ‖ x $0; ‖ x a, b[0], $2,; ‖ rx(0.3) q; ‖ U(0, -pi/2, a+b,) q[i]; ‖ g() q; ‖ g[10ns] q; ‖ g(1)[n] q[0:1];
inv @ x q; ‖ pow(2) @ inv @ x q; ‖ ctrl @ x a, b; ‖ ctrl(2) @ negctrl(n) @ negctrl @ rx(1)[2dt] a, b; ‖ gphase(pi);
ctrl @ gphase(pi / 2) q; ‖ inv @ pow(0.5) @ gphase(a) q, r[0]; ‖ gphase(a,) $0; ‖ measure q; ‖ measure q[0] -> c[0];
c = measure $0; ‖ c[0:1][{1}] = measure q; ‖ bit c = measure q[1]; ‖ reset q; ‖ reset q[0]; ‖ reset $3; ‖ barrier;
barrier q, r[0], $1; ‖ delay[10ns] q; ‖ delay[a + b]; ‖ box { } ‖ box[2us] { x q; } ‖ { } ‖ { x q; { y q; } }
if (a) x q; if (a == 1) { x q; y q; } else if (b) z q; else { } if (a) if (b) x q; else y q; if (a) { { x q; } }
if (a)␊@note␊x q; else␊@other␊y q;
for int i in [0:2] x q; for uint[8] i in [a:-1:b] { break; continue; } for bit b in c { if (b) break; }
for int i in {1, 2, 3,} { } for float f in a[0:1] x q; ‖ for int i in [:] x q; for int i in [::3] { while (a) break; }
for int i in f(a)(b); for int i in (a)(b);
while (i < 3) { i += 1; continue; } while (true) x q; end; for int i in a switch (i) { case 1 { break; } }
switch (i) { } switch (i) { case 1, 2, { x q; } case n { } default { } } switch (i + 1) { default { y q; } } ‖ a = 3;
a += 3; ‖ a -= 3; ‖ a *= 3; ‖ a /= 3; ‖ a &= 3; ‖ a |= 3; ‖ a ~= 3; ‖ a ^= 3; ‖ a <<= 3; ‖ a >>= 3; ‖ a %= 3;
a **= 3; ‖ a[0] = b; ‖ a[0][1, 2:3] = b; ‖ a[{1}] = b; ‖ a = b == c; ‖ f(x); ‖ f(); ‖ f(a, b,)[0]; ‖ a; ‖ a[0];
a[0][1] + 2; ‖ a - b; ‖ $0; ‖ (a); ‖ -a; ‖ int(a); ‖ sizeof(a); ‖ array[int, 2](a)[0]; ‖ bit[3](a) + 1;
durationof({x q; y q;}); ‖ 1; ‖ "0"; ‖ sizeof(a, b, c) q; ‖ a = 0b1_0 + 0B11 + 0o1_7 + 0xfF + 0X0 + 1_0;
a = 1. + .5 + 1.5e3 + 1e-3 + 1_0.5E+1_0 + 007; ‖ a = 1im + 2.5 im + .5␉im;
a = 1ns + 2us + 3µs + 4.5ms + 5s + 6 dt + .5 s; ‖ a = "0" == "1_01";
a = true || false && b | c ^ d & e == f != g < h <= i > j >= k << l >> m + n - o * p / q % r ** s;
a = r ** s % q / p * o - n + m >> l << k >= j > i <= h < g != f == e & d ^ c | b && true || false; ‖ a = b ** c ** d;
a = -b ** c; ‖ a = b ** -c ** d; ‖ a = b ** -c * d; ‖ a = -b[0]; ‖ a = !~-b + c; ‖ a = b - c - d; ‖ a = b - (c - d);
a = b < c < d; ‖ a = (((b))); ‖ a = -(b + c) * d; ‖ a = b--c; ‖ a=-1; ‖ a = b[0, 1:2, :, 3:, :4, 5:6:7, ::8,];
a = b[{1, 2}]; ‖ a = f(b)[c][d]; ‖ a = f(g(h()), -1); ‖ a = int[8](b) + uint(c) * float[n](d);
a = complex[float[32]](b); ‖ a = bool(b)[0]; ‖ a = stretch(b); ‖ a = sizeof(b); ‖ a = sizeof(b, 1);
a = durationof({ x q; }) / 2; ‖ a = 3[0]; ‖ a = b[durationof({})]; ‖ π = 2; Δx_1 = ℇ; ǅ = ª; ‖ x␉q␊;␍␊
a=b/**/+/***/c//x␊; ‖ a//b␍␊;
"""

_REFUSED = r"""
x q ‖ x ‖ x q;; ‖ ; ‖ } ‖ { ‖ x q; } ‖ (a; ‖ a); ‖ a[0; ‖ { x q; ‖ OPENQASM; ‖ OPENQASM 3 ‖ OPENQASM /* no */ 3.0;
OPENQASM 3.; ‖ x q; OPENQASM 3; ‖ OPENQASM 3; OPENQASM 3; ‖ include x; ‖ include ""; ‖ include "a␊b";
include /**/ "a"; ‖ if (a) include "b"; ‖ include "a" ‖ pragma ‖ pragma␊x q; ‖ @note␊ ‖ @note␊{ } ‖ @note␊pragma x␊
@1␊x q; ‖ if (a) pragma x␊ ‖ cal ‖ cal { ‖ cal { { } ‖ cal x {} ‖ defcal x { ‖ defcal x {} ‖ defcal x(3 s) $0 {}
defcal $0 $0 {} ‖ defcal x() -> bit {} ‖ defcal x(a % b) $0 {} ‖ defcal x(2ns) $0 {} ‖ defcal x(array[int, 2] a) $0 {}
int[0] a; ‖ uint[-1] a; ‖ angle[~1] a; ‖ qreg q[0]; ‖ creg q[-n]; ‖ int[] a; ‖ int 3; ‖ bool[3] a; ‖ void a;
complex[int] a; ‖ complex[] a; ‖ complex[complex[float]] a; ‖ array[int] a; ‖ array[stretch, 2] a; ‖ array[int, -1] a;
array[int, ] a; ‖ array a; ‖ const array[int, 2] a = {1}; ‖ const int a; ‖ input int a = 3; ‖ if (a) { qubit q; }
if (a) qreg q[2]; ‖ if (a) { array[int, 2] b; } ‖ while (a) { input int b; } ‖ if (a) { def f() {} }
if (a) gate g q {} ‖ if (a) extern f(); ‖ box { qubit q; } ‖ if (a) defcalgrammar "a"; ‖ gate g {} ‖ gate g(a) {}
gate g q; ‖ gate g q { measure q; } ‖ gate g q { reset q; } ‖ gate g q { a = 1; } ‖ gate g q { int a; }
gate g q { let a = b; c = measure q; } ‖ gate g q { qubit r; } ‖ gate g q[0] {} ‖ def f {} ‖ def f(a) {}
def f(int) {} ‖ def f() -> array[int, 2] {} ‖ def f() -> {} ‖ def f() x q; ‖ extern f; ‖ extern f(int a);
extern f() -> array[int, 2]; ‖ extern f(qubit); ‖ def f(array[int, 2] a) {} ‖ return; ‖ return a; ‖ break; ‖ continue;
if (a) break; ‖ def f() { break; }  ‖ gate g q { return; } ‖ for i in [0:1] {} ‖ for int i in [0] {}
for int i in {} {} ‖ for int i [0:1] {} ‖ for int i in [0:1:] {} ‖ if a x q; ‖ if () x q; ‖ if (a) ‖ if (a) ;
else x q; ‖ while (a); ‖ while a {} ‖ if (a) {} else ‖ switch (a) {case {}} ‖ switch (a) {case 1 x q;}
switch (a) {default {} case 1 {}} ‖ switch (a) {x q;} ‖ switch (a) {default {} default {}} ‖ switch a {}
switch (a) {case 1: {}} ‖ box 3 {} ‖ box x q; ‖ gphase; ‖ gphase(); ‖ gphase(1, 2); ‖ ctrl @ gphase q; ‖ ctrl x q;
pow @ x q; ‖ inv(2) @ x q; ‖ ctrl @x q; ‖ ctrl @ ; ‖ x[1, 2] q; ‖ x[1][2] q; ‖ x[1,] q; ‖ x[0:1] q; ‖ x[{1}] q;
x q r; ‖ x q,,r; ‖ measure; ‖ measure q ->; ‖ measure q -> $0; ‖ measure q, r; ‖ a + measure q; ‖ reset; ‖ reset q, r;
delay q; ‖ $0 = 1; ‖ f(a) = 1; ‖ a = ; ‖ a += ; ‖ a = b = c; ‖ (a) = 1; ‖ a++; ‖ a ++ b; ‖ a = b ++ c;
let a = measure q; ‖ let a; ‖ let a = ; ‖ let a[0] = b; ‖ let a = b ++; ‖ a = +b; ‖ a = b ! c; ‖ a = * b; ‖ a = b ** ;
a = (); ‖ a = b[]; ‖ a = b[{}]; ‖ a = b[{1}, 2]; ‖ a = b[0:1:]; ‖ a = [1]; ‖ a = {1}; ‖ a = f(,); ‖ a = f(b c);
a = sizeof(); ‖ a = sizeof(b, c, d); ‖ a = durationof(x q); ‖ a = durationof({ return; }); ‖ a = int; ‖ a = int b;
a = 1__0; ‖ a = 1_; ‖ a = 0b; ‖ a = 0b12; ‖ a = 0O7; ‖ a = 1e; ‖ a = 1..2; ‖ a = "012"; ‖ a = ""; ‖ a = 'b'; ‖ a = 3m;
a = 3 ns ns; ‖ a = im; ‖ a.b; ‖ a = #dim; ‖ a = #; ‖ a = b ? c : d; ‖ a = \b; ‖ a = b␌; ‖ x² = 1; ‖ ٣ = 1;
a = 1 /* b; ‖ a = b */; ‖ a = $; ‖ a = $a; ‖ if = 1; ‖ x if; ‖ measure if; ‖ qubit in; ‖ a =< b;
"""

_WHITE_SPACE = str.maketrans({"␊": "\n", "␍": "\r", "␉": "\t", "␌": "\f"})


def _parted(text: str) -> list[str]:
    return [program.translate(_WHITE_SPACE) for line in text.strip().splitlines() for program in line.split(" ‖ ")]


PROGRAMS = _parted(_PROGRAMS)
REFUSED = _parted(_REFUSED)
