"""A program that opens a student of shots, says how likely a key is and draws some; of other students: `loading`."""

PROGRAM = '''\
import json

import torch
from safetensors import safe_open

with safe_open("{file}", "pt") as file:
    card = json.loads(file.metadata()["qstill"])  # how many bits, and how wide the cells are
    weights = {{name: file.get_tensor(name) for name in file.keys()}}
widths = card["architecture"]["hidden"]
cells = torch.nn.ModuleList(torch.nn.GRU(a, b, batch_first=True) for a, b in zip([1, *widths], widths))
cells.load_state_dict({{name[6:]: each for name, each in weights.items() if name.startswith("cells.")}})


def step(bit, before, states):
    """Log-odds (rows,) of a bit's being 1, and the states after it. before: the bit before as -1 or 1; 0: none."""
    seen, after = before[:, None, None], []
    for layer, each in enumerate(cells):
        seen, state = each(seen, states and states[layer])
        after.append(state)
    return (seen[:, 0] @ weights["head.weight"].T)[:, 0] + weights["log_odds"][bit], after


@torch.no_grad()
def log_probability(keys):
    """(keys,) in nats; a key's rightmost character is read first."""
    bits = torch.tensor([[float(character) for character in reversed(key)] for key in keys])
    total, before, states = torch.zeros(len(keys), dtype=torch.float64), torch.zeros(len(keys)), None
    for bit in range(card["bits"]):
        log_odds, states = step(bit, before, states)
        before = 2 * bits[:, bit] - 1
        total += torch.nn.functional.logsigmoid(before * log_odds.double())
    return total


@torch.no_grad()
def sample(shots, seed=0):
    """Keys that the student draws."""
    draw, read = torch.Generator().manual_seed(seed), []
    before, states = torch.zeros(shots), None
    for bit in range(card["bits"]):
        log_odds, states = step(bit, before, states)
        read.append(torch.rand(shots, generator=draw) < log_odds.sigmoid())
        before = 2 * read[-1].float() - 1
    return ["".join("01"[bit] for bit in reversed(row)) for row in torch.stack(read, 1).int().tolist()]


keys = sample(5)
for key, log in zip(keys, log_probability(keys).tolist()):
    print(key, log)
'''


def program(file: str) -> str:
    """file: the name under which it was downloaded."""
    return PROGRAM.format(file=file)
