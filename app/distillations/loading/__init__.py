"""A program that opens a student's file, rebuilds its network and predicts, for whoever has torch and safetensors.

It is put together from pieces of plain Python, one for each family of networks and each kind of tokenizer. They are
text here: nothing in this process runs them. What varies within a family they read from the card in the file.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from qstill.contract.distillations.architectures import BY_KIND
from qstill.contract.distillations.computing import LINEAR, OF_TEXTS, of_rows
from qstill.contract.distillations.computing.tokens import TOKENIZERS

Says = Literal["classes", "numbers", "labels"]
NEEDED = "numpy, safetensors and torch"
LOADING = (
    "With {needed}, and nothing else, in the folder to which `{file}` was downloaded{place}:\n\n```python\n{program}```"
)
OPENING = """\
import json
{imports}
import torch
import torch.nn.functional as F
from safetensors import safe_open

with safe_open("{file}", "pt") as file:
    card = json.loads(file.metadata()["qstill"])  # what the network is, and what it needs besides its weights
    weights = {{name: file.get_tensor(name) for name in file.keys()}}
architecture = card["architecture"]
"""

CLASSES = '''

def predict({what}):
    """Probabilities (rows, classes)."""
    return logits({what}).double().softmax(1)
'''

CLASSES_OF_ROWS = (
    CLASSES.format(what="rows")
    + """

rows = torch.zeros(1, *card["input_shape"])  # put yours here
for row in predict(rows):
    print(card["classes"][row.argmax()], float(row.max()))
"""
)

CLASSES_OF_TEXTS = (
    CLASSES.format(what="texts")
    + """

for row in predict(["Put yours here."]):
    print(card["classes"][row.argmax()], float(row.max()))
"""
)

NO_ROW = 'torch.zeros(1, *card["input_shape"])'
NO_OBJECT = '[{encoder["name"]: None for encoder in card["columns"]["encoders"]}]'

NUMBERS = '''

def predict(rows):
    """(rows, targets) in their units."""
    mean, std = (torch.tensor(card["targets"][part], dtype=torch.float64) for part in ("mean", "std"))
    return logits(rows).double() * std + mean


rows = torch.zeros(1, *card["input_shape"])  # put yours here
print(card["targets"]["names"], predict(rows).tolist())
'''

LABELS = '''

def predict({what}):
    """Probabilities (rows, labels), each label by itself."""
    return logits({what}).double().sigmoid()

'''

LABELS_OF_ROWS = (
    LABELS.format(what="rows")
    + """
rows = torch.zeros(1, *card["input_shape"])  # put yours here
for row in predict(rows).tolist():
    print([(name, p) for name, p in zip(card["labels"], row) if p > 0.5])
"""
)

LABELS_OF_TEXTS = (
    LABELS.format(what="texts")
    + """
for row in predict(["Put yours here."]).tolist():
    print([(name, p) for name, p in zip(card["labels"], row) if p > 0.5])
"""
)

OF_ROWS_SAYS: dict[Says, str] = {"classes": CLASSES_OF_ROWS, "numbers": NUMBERS, "labels": LABELS_OF_ROWS}

CONTINUES = '''

def predict(text, most=20):
    """[(token, its log-probability), ...]: the likeliest one after the text, and after that, up to an end mark."""
    numbers, said = [2, *encode(text)], []  # texts stand between end marks, whose number is 2
    while len(said) < most and (not said or numbers[-1] != 2):
        with torch.no_grad():
            next_one = network(torch.tensor([numbers[-card["input_shape"][0] :]]))[0, -1].double()
        next_one[0] = -torch.inf  # padding is nothing that one writes
        logarithms = next_one.log_softmax(0)
        numbers.append(int(logarithms.argmax()))
        said.append((tokens[numbers[-1]], float(logarithms.max())))
    return said


text = "Put yours here"
print(text + decode([token for token, _ in predict(text)]))
'''

FILLS_IN = '''

def predict(text, most=5):
    """[[(token, its probability), ...], ...]: the likeliest ones where each <mask> of the text stands."""
    first, *others = [encode(part) for part in text.split("<mask>")]
    row = [2, *first]  # texts stand between end marks, whose number is 2; that of the mask is 3
    for part in others:
        row += [3, *part]
    row = torch.tensor([[*row, 2][: card["input_shape"][0]]])
    with torch.no_grad():
        logits = network(row)[row == 3].double()
    logits[:, :4] = -torch.inf  # no text holds a special token
    best = logits.softmax(1).topk(min(most, len(tokens) - 4), dim=1)
    return [
        [(tokens[number], p) for p, number in zip(*mask)]
        for mask in zip(best.values.tolist(), best.indices.tolist())
    ]


print(predict("Put yours here, with a <mask> in it."))
'''


def program(
    file: str, architecture: str, *, tokenizer: str | None = None, says: Says = "classes", columns: bool = False
) -> str:
    """file: the name under which it was downloaded. architecture, tokenizer: their `kind`. says: what it answers.

    columns: whether rows are those of a table whose columns are encoded.
    """
    family = BY_KIND[architecture]
    if family.ending == ".zip":
        return family.program.format(file=file)
    imports = "import datetime\n" if columns else "" if tokenizer is None else "import re\nimport unicodedata\n"
    opening = OPENING.format(file=file, imports=imports) + LINEAR
    if columns:
        return opening + of_rows(family, columns=True) + OF_ROWS_SAYS[says].replace(NO_ROW, NO_OBJECT)
    if tokenizer is None:
        return opening + of_rows(family) + OF_ROWS_SAYS[says]
    of_texts = OF_TEXTS + (LABELS_OF_TEXTS if says == "labels" else CLASSES_OF_TEXTS)
    end = {"prompts": CONTINUES, "masked": FILLS_IN}.get(family.question, of_texts)
    return opening + family.program + TOKENIZERS[tokenizer] + end


def how_to_load(write: Callable[[str], str], job: dict[str, Any], checkpoints: Mapping[str, str]) -> str:
    """The section of a card, about the student of the first seed. write: the program for a name of the file.

    job: as submitted. checkpoints: ids by the names that checkpoints have in the job.
    """
    family = BY_KIND.get(job["student"]["architecture"]["kind"])  # a recommender is of none
    ending = ".safetensors" if family is None else family.ending
    file, place = f"student-seed-{job['training']['seed']}{ending}", ""
    if (found := checkpoints.get(file)) is not None:
        file, place = downloaded(found, file), f" (`GET /v1/checkpoints/{found}/content`)"
    needed = "torch and transformers" if ending == ".zip" else NEEDED
    return LOADING.format(needed=needed, file=file, place=place, program=write(file))


def downloaded(checkpoint: str, name: str = "student.safetensors") -> str:
    """The name that the download of a checkpoint has. checkpoint: its id. name: what the job called it."""
    return f"{checkpoint}.{name.rpartition('.')[2]}"
