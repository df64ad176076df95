"""Reports as a worker writes them, with numbers that a test can choose."""

from typing import Any

from qstill.contract.distillations.report.document import DistillationReport, read_report

Json = dict[str, Any]


def arm(accuracy: float, *, seeds: int = 2, cost: bool = True, size: int = 5000) -> Json:
    spread = {"mean": accuracy, "sd": 0.01 if seeds > 1 else None}
    names = ("accuracy", "negative_log_likelihood", "expected_calibration_error", "brier", "agreement")
    empty = {"rows": 0, "confidence": None, "accuracy": None}
    bins = [empty] * 13 + [
        {"rows": 40, "confidence": 0.9, "accuracy": 0.8},
        {"rows": 60, "confidence": 1, "accuracy": 1},
    ]
    latency = {"p50_ms": 0.1, "p95_ms": 0.2, "runs": 300}
    run = {"seed": 0, "epoch": 3, "validation_accuracy": 0.8, "per_class": [], "reliability": bins}
    return {
        "summary": dict.fromkeys(names, spread),
        "runs": [run | dict.fromkeys(names, accuracy)] * seeds,
        "cost": {"size": {"parameters": 10, "bytes": size, "multiply_adds": 8}, "latency": latency, "timed": None}
        if cost
        else None,
    }


def candidate(role: str, accuracy: float, size: int, **changes: Any) -> Json:
    """changes: its pruning, its quantisation, its name."""
    latency = {"p50_ms": size / 1e6, "p95_ms": size / 5e5, "runs": 300}
    told = {"name": role, "words": f"the {role}", "role": role, "pruning": None, "quantisation": None, "file": None}
    told |= {"sparsity": None, "searched": False, "accuracies": [accuracy], "weights": 8, "agreement": 1.0}
    told |= {"max_logit_difference": 0.0, "validation_accuracy": {"mean": accuracy, "sd": None}}
    return (
        told
        | {"accuracy": {"mean": accuracy, "sd": 0.01}, "bytes": size, "latency": latency, "multiply_adds": 8}
        | changes
    )


def compared() -> Json:
    """The section of a report that sets distillation beside pruning and quantisation."""
    pruned = {"name": "teacher-structured-0.9", "words": "the teacher after structured pruning of 90% of its units"}
    candidates = [
        candidate("student", 0.8, 5000),
        candidate("baseline", 0.7, 5000),
        candidate("teacher", 0.9, 90_000),
        candidate("teacher", 0.2, 4000, pruning="structured", quantisation="int8_static", **pruned),
    ]
    difference = {"points": 60.0, "low": 58.0, "high": 62.0}
    rows = [
        {"name": "student", "fits": True, "times": 1.0, "student_minus_this": None},
        {"name": "teacher", "fits": False, "times": 18.0, "student_minus_this": difference | {"points": -10.0}},
        {"name": pruned["name"], "fits": True, "times": 0.8, "student_minus_this": difference},
    ]
    return {
        "verdicts": ["At the student's 5,000 bytes, distillation is 60.00 points above the best of what is made so."],
        "notes": ["Bytes are of the file."],
        "seeds": 2,
        "student": {"bytes": 5000, "p50_ms": 0.005},
        "candidates": candidates,
        "at_equal_bytes": rows,
        "at_equal_latency": rows,
    }


def surrogate(observable: str = "cost", *, minimum: bool = True, shots: bool = True) -> Json:
    """The section of a report on a student in place of a circuit."""
    errors = {"rmse": 0.1, "max_error": 0.2}
    searched = {"angles": [0.1, -0.2], "value": -1.0, "evaluations": 9}
    optimum = {
        "observable": observable,
        "inputs": ["beta0", "gamma0"],
        "predicted": -1.1,
        "searches": dict.fromkeys(("surrogate", "start", "best_asked", "cobyla", "spsa"), searched),
        "tolerance": 0.01,
        "gain": False,
        "verdict": "no gain: -1 at the surrogate's minimum; COBYLA finds -1, which is the same",
        "refined": None,
        "certificate": "job_0190",
        "expected": -1.0,
    }
    points = [{"at": 0.1 * n, "student": -1.0, "circuit": -1.0, "asked": -1.0} for n in range(3)]
    return {
        "nodes": 9,
        "exact": True,
        "rmse": 0.1,
        "student": errors,
        "direct": errors,
        "linear": errors,
        "mitigation": None,
        "judged_by": "exact",
        "standard_error": 0.1 if shots else None,
        "rounding": 1e-6,
        "spectrum": None,
        "circuits": 9,
        "shots_spent": 90 * shots,
        "circuits_per_query": 1,
        "shots_per_query": 10 * shots,
        "pays_after_queries": 9,
        "slice": {"input": "beta0", "observable": observable, "through": {"beta0": 0.1, "gamma0": 0}, "points": points},
        "points": [{"circuit": -1.0, "student": -1.0, "asked": -1.0}],
        "optimum": optimum if minimum else None,
    }


def quantum() -> Json:
    """The section of a report on a quantum student."""
    control = {"summary": arm(0.7)["summary"], "parameters": 30}
    better = {"points": 10.0, "low": 8.0, "high": 12.0}
    networks = ("student", "teacher", "frozen")
    curve = [
        {"network": name, "strength": strength, "shots": shots, "value": 0.5, "calibrated": 0.6}
        | {"mitigated": 0.7 - strength / 10 if strength else None}
        for name in networks
        for strength in (0.0, 0.5, 1.0)
        for shots in (64, 1024, None)
    ]
    return {
        "controls": {name: control | {"student_minus_control": better} for name in ("frozen", "linear")},
        "advantage": {"shown": True, "over": ["frozen", "linear"], "not_over": [], "sentence": "shown over both"},
        "nature": {"entangles": True, "one_matrix": False, "frequencies": 3}
        | {"simulated_by": "statevector", "simulation_bytes": 64}
        | {
            "expressibility": {"states": 400, "divergence": 0.2, "floor": 0.004, "draws": 200, "dead": [2]}
            | {"histogram": [0.6, 0.3, 0.1, 0.0], "haar": [0.8, 0.15, 0.05, 0.0], "gradient_variance": [0.1, 0.02, 0.0]}
        },
        "engine": {"rows": 64, "calibration_rows": 32, "bases": 1, "simulated": 0.6, "curve": curve, "gains": [1.5]}
        | {
            "mitigation": {"kind": "zne", "circuits_per_row": 3, "circuits_before": 0, "over": ["raw"]}
            | {"sentence": "helped over raw, did not help over calibrated: 60.0% against 50.0% and 60.0%"}
        },
    }


def budget(words: str = "an mlp of one hidden layer") -> Json:
    """The section of a report whose student a budget chose. words: what candidates are called."""

    def tried(number: int, parameters: int, worth: float | None, status: str) -> Json:
        costs = {"parameters": parameters, "bytes": 4 * parameters, "multiply_adds": parameters, "latency_ms": 0.02}
        told = {"number": number, "words": words, "architecture": {"kind": "mlp", "hidden": [9 - number]}, "part": 1.0}
        return told | costs | {"status": status, "worth": worth, "worths": [], "epochs": []}

    return {
        "budget": {"times_smaller": 10.0, "bytes": 9_000},
        "limits": {"parameters": 900, "bytes": 9_000, "multiply_adds": None, "milliseconds": None},
        "teacher_parameters": 9_000,
        "seeds": 2,
        "candidates": [
            tried(0, 800, 0.93, "complete"),
            tried(1, 700, 0.95, "complete"),
            tried(2, 300, 0.4, "given_up"),
            tried(3, 200, None, "failed"),
            tried(4, 100, 0.9, "complete"),
        ],
        "left_out": ["a resnet-14: at least 901 parameters"],
        "front": [1, 4],
        "chosen": 1,
        "why": f"Of 5 candidates within the budget, {words} had the best validation accuracy: 95.0%.",
        "notes": ["Validation rows chose."],
    }


def document(*, name: str | None = "digits", classes: tuple[str, ...] = ("a", "b"), **changes: Any) -> Json:
    """The JSON of a report. changes: replace its parts."""
    curve = [{"epoch": epoch, "loss": 1 / epoch, "validation_accuracy": 0.5 + epoch / 10} for epoch in (1, 2, 3)]
    row = {"teacher": 0.9, "student": 0.8, "baseline": 0.7, "change_in_points": 10.0}
    export = {"name": "student-seed-0.onnx", "format": "onnx", "bytes": 4000, "accuracy": 0.8}
    export |= {"max_logit_difference": 1e-6, "latency": {"p50_ms": 0.1, "p95_ms": 0.2, "runs": 300}}
    export |= {"role": "student", "seed": 0, "rows": 20, "onnxruntime": "1.32.0", "input_shape": [64]}
    export |= {"negative_log_likelihood": 0.5, "agreement": 1.0}
    export |= {"pytorch_accuracy": 0.8, "pytorch_negative_log_likelihood": 0.5}
    use = {"computed_rows": 60, "reused_rows": 0, "bytes": 480, "dtype": "float32", "top_k": None, "draws": None}
    return {
        "measure": "accuracy",
        "paired_differences_in_points": [9.0, 11.0],
        "soft_gradient_norm": 1.0,
        **dict.fromkeys(("text", "targets", "language_model", "masked_language_model")),
        "signal": use | {"digest": "0" * 64, "rounding": 0.0, "again": False},
        "seed": 0,
        "checkpoints": 5,
        "student_sha256": "0" * 64,
        "verdict": "BEATS",
        "gain": {"points": 10.0, "low": 8.0, "high": 12.0},
        "seconds": 2.0,
        "classes": list(classes),
        "teacher": arm(0.9, seeds=1, size=90_000),
        "student": arm(0.8),
        "baseline": arm(0.7),
        "warnings": ["The student is larger than the teacher."],
        "notes": [f"Neither saw these classes: {classes[0]}."],
        "per_class": [{"class": each, **row} for each in classes],
        "curves": {"teacher": curve, "student-seed-0": curve, "baseline-seed-0": curve},
        "exports": [export],
        "compression": compared(),
        "budget": budget(),
        "surrogate": None,
        "quantum": quantum(),
        "rows": {"total": 100, "train": 60, "train_labels": 60, "validation": 20, "test": 20}
        | {"student_learns_from": 60, "labels_seen": 10},
        "digests": dict.fromkeys(("data", "teacher", "signal"), "0" * 64),
        "versions": {"torch": "2.13.0"},
        "job": {
            "name": name,
            "dataset": {"source": "builtin", "name": "digits", "standardise": "feature"},
            "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [16]}},
            "student": {"architecture": {"kind": "mlp", "hidden": [4]}},
            "objective": {"kind": "kd", "temperature": 2.0, "alpha": 0.9},
            "training": {"epochs": 3, "batch_size": 64, "optimizer": "adam", "seed": 0},
        },
    } | changes


def report(**changes: Any) -> DistillationReport:
    return read_report(document(**changes))
