"""The networks as functions of their weights, as `workers/distillation/networks` computes them."""

ACTIVATION = """
activation = {"relu": torch.relu, "gelu": F.gelu, "tanh": torch.tanh}[architecture["activation"]]
"""

MLP = (
    ACTIVATION
    + """

def network(x):
    x = x.flatten(1)
    for n in range(len(architecture["hidden"])):
        x = activation(linear(f"hidden.{n}", x))
    return linear("head", x)

"""
)

CNN = (
    ACTIVATION
    + """

def network(x):
    for n in range(len(architecture["channels"])):
        name = f"convolutions.{n}"
        x = activation(F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1))
        if min(x.shape[2:]) >= 4:
            x = F.max_pool2d(x, 2)
    return linear("head", x.flatten(1))

"""
)

CONVOLUTION = """

def convolution(name, x, stride=1):
    weight = weights[f"{name}.weight"]
    return F.conv2d(x, weight, stride=stride, padding=weight.shape[2] // 2)


def normalised(name, x):
    return F.batch_norm(x, *(weights[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")))
"""

RESNET = (
    CONVOLUTION
    + """

def network(x):
    x = torch.relu(normalised("stem_norm", convolution("stem", x)))
    for stage in range(3):
        for block in range((architecture["depth"] - 2) // 6):
            name, stride = f"stages.{stage}.{block}", 2 if stage and not block else 1
            y = torch.relu(normalised(f"{name}.first_norm", convolution(f"{name}.first", x, stride)))
            y = normalised(f"{name}.second_norm", convolution(f"{name}.second", y))
            x = x[:, :, ::stride, ::stride]
            x = torch.relu(y + F.pad(x, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1])))  # new channels begin empty
    return linear("head", x.mean((2, 3)))

"""
)

WIDE_RESNET = (
    CONVOLUTION
    + """

def network(x):
    x = convolution("stem", x)
    for stage in range(3):
        for block in range((architecture["depth"] - 4) // 6):
            name, stride = f"stages.{stage}.{block}", 2 if stage and not block else 1
            active = torch.relu(normalised(f"{name}.first_norm", x))
            y = torch.relu(normalised(f"{name}.second_norm", convolution(f"{name}.first", active, stride)))
            if f"{name}.shortcut.weight" in weights:
                x = convolution(f"{name}.shortcut", active, stride)
            x = convolution(f"{name}.second", y) + x
    return linear("head", torch.relu(normalised("norm", x)).mean((2, 3)))

"""
)

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

VIT = (
    BLOCKS
    + """

def network(x):
    x = F.conv2d(x, weights["embedding.weight"], weights["embedding.bias"], stride=architecture["patch"])
    return linear("head", blocks(x.flatten(2).transpose(1, 2) + weights["positions"]).mean(1))

"""
)

MEAN = """

def mean_of(states, real):
    return (states * real).sum(1) / real.sum(1).clamp(min=1)
"""

BAG_OF_EMBEDDINGS = (
    MEAN
    + """

def network(numbers):
    x = mean_of(weights["embedding.weight"][numbers], (numbers != 0).unsqueeze(2).float())
    for n in range(len(architecture["hidden"])):
        x = torch.relu(linear(f"hidden.{n}", x))
    return linear("head", x)
"""
)

TEXT_CNN = """

def network(numbers):
    real = (numbers != 0).unsqueeze(1).float()
    states = weights["embedding.weight"][numbers].transpose(1, 2)
    answers = []
    for n, size in enumerate(architecture["sizes"]):
        name = f"convolutions.{n}"
        every = F.conv1d(F.pad(states, (0, size - 1)), weights[f"{name}.weight"], weights[f"{name}.bias"])
        answers.append((torch.relu(every) * real).amax(2))
    return linear("head", torch.cat(answers, dim=1))
"""

LSTM = (
    MEAN
    + """

recurrent = torch.nn.LSTM(architecture["width"], architecture["hidden"], architecture["depth"], batch_first=True)
part = "recurrent."
recurrent.load_state_dict({name.removeprefix(part): weights[name] for name in weights if name.startswith(part)})


def network(numbers):
    states, _ = recurrent(weights["embedding.weight"][numbers])
    return linear("head", mean_of(states, (numbers != 0).unsqueeze(2).float()))
"""
)

EMBEDDED = """

def embedded(numbers):
    return weights["embedding.weight"][numbers] + weights["positions"][:, : numbers.shape[1]]
"""

TEXT_TRANSFORMER = (
    BLOCKS
    + EMBEDDED
    + MEAN
    + """

def network(numbers):
    states = blocks(embedded(numbers), (numbers == 0)[:, None, None, :])
    return linear("head", mean_of(states, (numbers != 0).unsqueeze(2).float()))
"""
)

DECODER = (
    BLOCKS
    + EMBEDDED
    + """

def network(numbers):
    future = torch.ones(numbers.shape[1], numbers.shape[1], dtype=torch.bool).triu(1)
    return F.linear(blocks(embedded(numbers), future), weights["embedding.weight"])
"""
)

ENCODER = (
    BLOCKS
    + EMBEDDED
    + """

def network(numbers):
    return F.linear(blocks(embedded(numbers), (numbers == 0)[:, None, None, :]), weights["embedding.weight"])
"""
)

NETWORKS = {
    "mlp": MLP,
    "cnn": CNN,
    "resnet": RESNET,
    "wide_resnet": WIDE_RESNET,
    "vit": VIT,
    "bag_of_embeddings": BAG_OF_EMBEDDINGS,
    "text_cnn": TEXT_CNN,
    "lstm": LSTM,
    "text_transformer": TEXT_TRANSFORMER,
    "decoder": DECODER,
    "encoder": ENCODER,
}
