"""The card of a distribution that was learned, in Markdown: what is given back, how it was judged, how to use it."""

from collections.abc import Iterable, Mapping, Sequence

from app.distillations.circuits.distribution.loading import program
from app.distillations.loading import LOADING, NEEDED, downloaded
from app.distillations.markdown import bullets, settings, table, text
from qstill.contract.distillations.circuits.distribution.report import Apart, DistributionReport, JudgedModel

FILE = "student.safetensors"
NAMES = {"student": "student", "histogram": "histogram", "independent": "independent bits"}


def distribution_card(report: DistributionReport, checkpoints: Mapping[str, str]) -> str:
    """The whole card. checkpoints: ids by the names that they have in the job."""
    name = report.job.get("name")
    parts = [
        f"# Card: {text(name)}" if name else "# Card of a distribution",
        f"**Use the {report.returned.upper()}**: {text(report.why)}.",
        "## What it is",
        table(("", ""), _description(report)),
        "## What it is worth",
        table(_header(report), _worth(report)),
        "![The student's likelihood over its epochs](plots/curves.svg)",
    ]
    if report.top:
        parts.append("![What is said of the keys that were read most often](plots/distribution.svg)")
    file, place = FILE, ""
    if (found := checkpoints.get(FILE)) is not None:
        file, place = downloaded(found), f" (`GET /v1/checkpoints/{found}/content`)"
    loading = LOADING.format(needed=NEEDED, file=file, place=place, program=program(file))
    parts += ["## Limits", bullets(report.notes), "## How to load the student", loading]
    return "\n\n".join(parts) + "\n"


def _description(report: DistributionReport) -> Iterable[Sequence[str]]:
    job, parts = report.job, report.parts
    yield "Bits", str(report.bits)
    yield "Shots", f"{report.shots:,}: {parts.training:,} train, {parts.validation:,} choose, {parts.held_out:,} judge"
    yield "Different keys", f"{report.outcomes:,}, and {report.unseen:.1%} of the probability with keys not read"
    yield "Student", text(settings(job["student"]["architecture"]))
    yield "Weights", f"{report.parameters:,}, of epoch {report.epoch}"
    yield "Trained by", text(settings({key: value for key, value in job["training"].items() if value is not None}))
    for field in ("noise", "device"):
        given = job["dataset"][field]
        known = {} if given is None else {key: value for key, value in given.items() if value is not None}
        if known:
            yield field.capitalize(), text(settings(known)[:300])
    yield "Digests", ", ".join(f"{name} `{digest}`" for name, digest in report.digests.items())
    yield "Made with", text(", ".join(f"{name} {number}" for name, number in report.versions.items()))


def _header(report: DistributionReport) -> Sequence[str]:
    to = "the exact distribution" if report.total_variation is not None else "the held-out histogram"
    return "", "Held-out NLL, nats", f"Total variation to {to}", f"Hellinger to {to}"


def _worth(report: DistributionReport) -> Iterable[Sequence[str]]:
    for each in report.models:
        mark = "**" if each.model == report.returned else ""
        yield f"{mark}{NAMES[each.model]}{mark}", f"{each.nll:.4f} ± {each.standard_error:.4f}", *_apart(_judged(each))
    if report.all_shots is not None:
        yield f"frequencies of all {report.shots:,} shots", "", *_apart(report.all_shots)
    if report.entropy is not None:
        yield "the exact distribution", f"{report.entropy:.4f} (its entropy)", "0", "0"


def _judged(model: JudgedModel) -> Apart | None:
    return model.held_out if model.exact is None else model.exact


def _apart(found: Apart | None) -> Sequence[str]:
    return ("unknown",) * 2 if found is None else (f"{found.total_variation:.4f}", f"{found.hellinger:.4f}")
