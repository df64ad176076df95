// Arrays: declared, indexed, cut, copied, given to subroutines, measured by `sizeof`.
OPENQASM 3.0;
include "stdgates.inc";

const uint[8] rows = 2;
array[int[8], rows, 3] table = {{1, 2, 3}, {4, 5, 3 + 3}};
array[int[8], 3] row = table[0];
array[float[64], 2] angles = {pi, pi / 2};
array[uint[8], 4] bytes = {5, 6, 7, 8};

row[0] = 10;             // a copy: `table` stays as it is
table[1] = row;          // {{1, 2, 3}, {10, 2, 3}}
table[0, 1] = -7;
bytes[0:1] = bytes[2:3]; // {7, 8, 7, 8}
bytes[-1] = 1;

def total(readonly array[int[8], #dim = 2] values) -> int[16] {
  int[16] sum = 0;
  for uint i in [0:sizeof(values, 0) - 1] {
    for uint j in [0:sizeof(values, 1) - 1] sum += values[i, j];
  }
  return sum;
}

def double_all(mutable array[uint[8], 4] values) {
  for uint i in [0:sizeof(values) - 1] values[i] *= 2;
}

double_all(bytes); // {14, 16, 14, 2}

qubit[6] q;
bit[6] c;

if (total(table) == 12) x q[0];
if (table[0, 0] == 1 && table[1][0] == 10) x q[1];
if (bytes[0] + bytes[1] + bytes[2] + bytes[3] == 46) x q[2];
if (sizeof(table, 1) == 3 && sizeof(table) == 2) x q[3];
rx(angles[0]) q[4];
for int[8] value in row { if (value == 2) x q[5]; }
c = measure q;
