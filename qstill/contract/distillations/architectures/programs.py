"""What the programs of several families are put together from: plain torch, over `weights` and `architecture`."""

ACTIVATION = """
activation = {"relu": torch.relu, "gelu": F.gelu, "tanh": torch.tanh}[architecture["activation"]]
"""

BLOCKS = """

def norm(name, x):
    return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"])


def attention(name, x, unseen):
    batch, tokens, width = x.shape
    size = width // architecture["heads"]
    parts = linear(f"{name}.queries_keys_values", x).view(batch, tokens, 3, architecture["heads"], size)
    queries, keys, values = parts.permute(2, 0, 3, 1, 4)
    scores = queries @ keys.transpose(2, 3) / size**0.5
    if unseen is not None:
        scores = scores.masked_fill(unseen, torch.finfo(scores.dtype).min)
    return linear(f"{name}.out", (scores.softmax(3) @ values).transpose(1, 2).reshape(batch, tokens, width))


def blocks(x, unseen=None):
    for name in [f"blocks.{n}" for n in range(architecture["depth"])]:
        x = x + attention(f"{name}.attention", norm(f"{name}.attention_norm", x), unseen)
        x = x + linear(f"{name}.narrow", F.gelu(linear(f"{name}.wide", norm(f"{name}.norm", x))))
    return norm("norm", x)
"""

MEAN = """

def mean_of(states, real):
    return (states * real).sum(1) / real.sum(1).clamp(min=1)
"""
