"""A table as offices have them: words, gaps, dates, true and false, an identifier, and a column that says nothing.

    python examples/people.py > people.csv  # 20,000 rows, always the same

Whether somebody renews a membership depends on age and job, how long ago it began, the season in which it did, and how
often they came; a tenth of the labels is drawn by chance.
"""

import argparse
import csv
import math
import random
import sys
from collections.abc import Iterator
from datetime import date, timedelta

HEADER = ["customer_id", "age", "job", "town", "since", "newsletter", "visits", "source", "renews"]
JOBS = {"nurse": 0.8, "baker": -0.4, "teacher": 0.5, "carpenter": -0.6, "farmer": 0.2, "clerk": -0.1}
TOWNS = 300
TODAY = date(2025, 1, 1)


def people(rows: int, seed: int) -> Iterator[list[object]]:
    draw = random.Random(seed)  # noqa: S311  # an example, and no secret
    for number in range(rows):
        age, job = draw.randint(18, 89), draw.choice([*JOBS])
        town, visits = f"Town {int(draw.paretovariate(0.6)) % TOWNS}", draw.randint(0, 60)
        since, newsletter = TODAY - timedelta(days=draw.randint(30, 4000)), draw.random() < 0.4
        years = (TODAY - since).days / 365
        leans = JOBS[job] + math.sin(age / 9) + 0.25 * (years - 5) * (1 if newsletter else -1)
        leans += 0.05 * (visits - 30) + (1.0 if since.month in (6, 7, 8) else -0.3)
        renews = draw.random() < 0.5 if draw.random() < 0.1 else leans > 0
        yield [
            100_000 + number,
            "" if draw.random() < 0.08 else age,
            draw.choice(["", "NA"]) if draw.random() < 0.06 else job,
            town,
            "" if draw.random() < 0.03 else f"{since:%d.%m.%Y}",
            newsletter,
            "" if draw.random() < 0.05 else visits,
            "web",
            "yes" if renews else "no",
        ]


def main() -> None:
    asked = argparse.ArgumentParser(description="Writes a table to the standard output.")
    asked.add_argument("--rows", type=int, default=20_000)
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(people(given.rows, given.seed))


if __name__ == "__main__":
    main()
