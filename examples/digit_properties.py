"""Several labels a row, of real rows: what is so of the 1,797 handwritten digits that scikit-learn carries.

    python examples/digit_properties.py > digits.csv

A row is an image of 8 × 8 pixels, and five columns of 1 and 0: whether its digit is even, prime, a square, a multiple
of three, and whether it is drawn with a loop.
"""

import csv
import sys

from sklearn.datasets import load_digits

SO_OF = {
    "even": {0, 2, 4, 6, 8},
    "prime": {2, 3, 5, 7},
    "square": {0, 1, 4, 9},
    "threes": {0, 3, 6, 9},
    "loop": {0, 6, 8, 9},
}


def main() -> None:
    pixels, digits = load_digits(return_X_y=True)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([f"pixel_{number}" for number in range(pixels.shape[1])] + list(SO_OF))
    for row, digit in zip(pixels.astype(int).tolist(), digits.tolist(), strict=True):
        writer.writerow([*row, *(int(digit in of) for of in SO_OF.values())])


if __name__ == "__main__":
    main()
