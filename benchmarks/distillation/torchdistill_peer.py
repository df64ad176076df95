"""torchdistill's side of that benchmark: `python -P torchdistill_peer.py work.npz`, by a Python that has it.

Prints JSON: CPU seconds of training, steps, and the student's accuracy on the test rows.
"""

import json
import logging
import sys
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import RandomSampler, TensorDataset
from torchdistill.core.distillation import get_distillation_box  # type: ignore[import-not-found,unused-ignore]

POOLED_FROM = 4  # pixels a side, as in the service's own networks


def network(weights: list[Tensor], side: int) -> nn.Sequential:
    """Weights and biases in the order of the layers; those of a convolution have four dimensions. side: of images."""
    layers: list[nn.Module] = []
    for weight, bias in zip(weights[::2], weights[1::2], strict=True):
        if weight.ndim == 4:
            layers.append(nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1))
        else:
            if not any(isinstance(layer, nn.Flatten) for layer in layers):
                layers.append(nn.Flatten())
            layers.append(nn.Linear(weight.shape[1], weight.shape[0]))
        layers[-1].load_state_dict({"weight": weight, "bias": bias})
        layers.append(nn.ReLU())
        if weight.ndim == 4 and side >= POOLED_FROM:
            layers.append(nn.MaxPool2d(2))
            side //= 2
    return nn.Sequential(*layers[:-1])  # no activation after the last


def box(teacher: nn.Module, student: nn.Module, rows: TensorDataset, how: dict[str, Any]) -> Any:
    """Its box, with its own data loader, optimizer and loss. Its alpha is the weight of the labels."""
    place = {
        "student_module_path": ".",
        "student_module_io": "output",
        "teacher_module_path": ".",
        "teacher_module_io": "output",
    }
    loss = {"key": "KDLoss", "kwargs": {**place, "temperature": how["temperature"], "alpha": 1 - how["alpha"]}}
    config = {
        "num_epochs": how["epochs"],
        "train_data_loader": {
            "dataset_id": "train",
            "sampler": {"class_or_func": RandomSampler, "kwargs": {}},
            "kwargs": {"batch_size": how["batch"], "num_workers": 0},
        },
        "teacher": {"forward_proc": "forward_batch_only", "requires_grad": False},
        "student": {"forward_proc": "forward_batch_only"},
        "optimizer": {"key": "Adam", "kwargs": {"lr": how["lr"]}},
        "criterion": {"key": "WeightedSumLoss", "kwargs": {"sub_terms": {"kd": {"criterion": loss, "weight": 1.0}}}},
    }
    return get_distillation_box(teacher, student, {"train": rows}, config, torch.device("cpu"), None, False, 1.0)


def main(path: str) -> dict[str, float]:
    torch.set_num_threads(1)
    logging.disable(logging.INFO)
    given = {name: torch.from_numpy(array) if array.ndim else array.item() for name, array in np.load(path).items()}
    how = json.loads(given["settings"])
    x, y = given["train.x"], given["train.y"]
    teacher, student = (
        network([given[name] for name in given if name.startswith(f"{who}.")], x.shape[-1])
        for who in ("teacher", "student")
    )
    training = box(teacher.eval(), student, TensorDataset(x, y), how)
    steps = 0
    began = time.process_time()
    for epoch in range(training.num_epochs):
        training.pre_epoch_process(epoch=epoch)
        for batch, labels, more in training.train_data_loader:
            training.pre_forward_process()
            training.post_forward_process(loss=training.forward_process(batch, labels, more))
            steps += 1
        training.post_epoch_process()
    seconds = time.process_time() - began
    student.eval()
    with torch.no_grad():
        accuracy = (student(given["test.x"]).argmax(1) == given["test.y"]).double().mean()
    return {"seconds": seconds, "steps": steps, "accuracy": float(accuracy)}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
