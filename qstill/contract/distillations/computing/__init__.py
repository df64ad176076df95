"""What a network computes, as text: plain torch over `weights`, by their names, and the `card` of their file.

Cards make a program of it for whoever has torch and safetensors, and the client makes a module of it. Nothing in the
front door runs it.
"""

from typing import Any

from qstill.contract.distillations.architectures.family import Family
from qstill.contract.distillations.computing.columns import ENCODE
from qstill.contract.distillations.computing.tokens import TOKENIZERS

LINEAR = """

def linear(name, x):
    return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])
"""

OF_ROWS = '''
mean, std = (torch.tensor(card[part], dtype=torch.float64) for part in ("mean", "std"))


def logits(rows):
    """(rows, classes) of rows as they were uploaded; pixels of an archive of images go from 0 to 1."""
    rows = torch.as_tensor(rows).float().reshape(-1, *card["input_shape"])
    with torch.no_grad():
        return network(((rows.double() - mean) / std).float())
'''

OF_TEXTS = '''

def logits(texts):
    """(texts, classes)."""
    length = card["input_shape"][0]
    tokens = torch.zeros(len(texts), length, dtype=torch.int64)  # 0 is padding
    for row, text in zip(tokens, texts):
        numbers = encode(text)[:length]
        row[: len(numbers)] = torch.tensor(numbers, dtype=torch.int64)
    with torch.no_grad():
        return network(tokens)
'''


def of_rows(family: Family[Any], *, columns: bool = False) -> str:
    """`logits(rows)` of rows of numbers, or of objects where the columns of a table are encoded."""
    return family.program + (ENCODE if columns else OF_ROWS)


def of_texts(family: Family[Any], tokenizer: str = "teacher") -> str:
    """`logits(texts)`. tokenizer: its kind; that of a teacher says it itself."""
    return family.program + TOKENIZERS[tokenizer] + OF_TEXTS
