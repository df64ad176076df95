"""sentence-transformers' side of that benchmark: `python -P sentence_transformers_peer.py FOLDER`, by its own Python.

Its example `model_distillation.py`, of version 6: the teacher's vectors as labels, `MSELoss`, and its trainer. Prints
JSON: CPU seconds of training, and steps; leaves the student's vectors of the test sentences in answers.npy.
"""

import json
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset  # type: ignore[import-not-found,import-untyped,unused-ignore]
from numpy.typing import NDArray
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator
from sentence_transformers.sentence_transformer.losses import MSELoss


def judge(sentences: list[str], vectors: NDArray[np.float32]) -> EmbeddingSimilarityEvaluator:
    """Its own evaluator, of pairs of the sentences, each of which is in one of them. vectors: the teacher's."""
    half = len(sentences) // 2
    cosines = (vectors[:half] * vectors[half : 2 * half]).sum(1)  # of vectors of length 1
    return EmbeddingSimilarityEvaluator(sentences[:half], sentences[half : 2 * half], cosines.tolist())


def main(folder: Path) -> dict[str, Any]:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    given = json.loads((folder / "work.json").read_text())
    student = SentenceTransformer(str(folder / "student"), device="cpu")
    student.max_seq_length = given["max_length"]
    rows = Dataset.from_dict({"sentence": given["train"], "label": np.load(folder / "vectors.npy").tolist()})
    with tempfile.TemporaryDirectory() as left:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=left,
            num_train_epochs=given["epochs"],
            per_device_train_batch_size=given["batch"],
            learning_rate=given["learning_rate"],
            warmup_steps=0.1,
            eval_strategy="epoch",
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
            seed=0,
        )
        trainer = SentenceTransformerTrainer(
            model=student,
            args=arguments,
            train_dataset=rows,
            loss=MSELoss(model=student),
            evaluator=judge(given["validation"], np.load(folder / "validation.npy")),
        )
        began = time.process_time()
        trainer.train()
        seconds = time.process_time() - began
    np.save(folder / "answers.npy", student.encode(given["test"], show_progress_bar=False))
    return {"seconds": seconds, "steps": trainer.state.global_step}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
