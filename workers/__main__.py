"""`python -m workers circuits | distillation`: a worker of one queue; `qstill worker` is the same."""

import logging
import sys

import click

from ledger.guard import end_with_parent
from ledger.settings import Settings
from qstill.contract.kinds import Queue
from workers.children import ChildDied
from workers.wakeup import work


@click.command()
@click.argument("queue", type=click.Choice([queue.value for queue in Queue]))
@click.option("--concurrency", type=click.IntRange(1, 64), default=1)
def main(queue: str, concurrency: int) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    end_with_parent()
    try:
        sys.exit(work(Settings(), queue, concurrency))
    except ChildDied as death:
        raise click.ClickException(f"{death}; its messages are above, `qstill doctor` may know more") from None


if __name__ == "__main__":
    main()
