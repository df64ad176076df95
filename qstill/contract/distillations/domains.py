"""One endpoint, several domains: which kind of job a body is, and a reason where its parts belong to different ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, Discriminator, Tag

from qstill.contract.distillations.architectures import AnyArchitecture
from qstill.contract.distillations.budget.job import BUDGET, BudgetedJob
from qstill.contract.distillations.circuits.distribution.job import Autoregressive, DistributionJob
from qstill.contract.distillations.circuits.job import Keep, ShorteningJob
from qstill.contract.distillations.embeddings.data import AnySentences
from qstill.contract.distillations.embeddings.job import (
    EmbeddingJob,
    files_of_embedding,
    formats_of_embedding,
    models_of_embedding,
)
from qstill.contract.distillations.embeddings.objectives import SingleOfVectors
from qstill.contract.distillations.embeddings.students import AnyEncoder
from qstill.contract.distillations.job import DistillationJob, formats_of_job, models_of_job, referenced_files
from qstill.contract.distillations.objectives import Single
from qstill.contract.distillations.recommenders.architectures import AnyScorer
from qstill.contract.distillations.recommenders.data import SyntheticInteractions, UploadedInteractions
from qstill.contract.distillations.recommenders.job import RecommenderJob, files_of_recommender, models_of_recommender
from qstill.contract.distillations.recommenders.objectives import SingleRanking
from qstill.contract.distillations.teachers.needs import urls_of
from qstill.contract.schemas import FieldPath, refuse

# no field bears such a name: places of errors pass over them
CLASSIFICATION, RECOMMENDER, SHORTENING, DISTRIBUTION = "of rows", "of users", "of a circuit", "of shots"
EMBEDDING, BUDGETED = "of sentences", "of rows, within a budget"
# the domain of a circuit, by what of it is kept
CIRCUITS = {**dict.fromkeys(get_args(Keep), SHORTENING), "distribution": DISTRIBUTION}


def _named(union: Any, field: str) -> frozenset[str]:
    """The values of the field that tells the members of a union apart."""
    return frozenset(get_args(member.model_fields[field].annotation)[0] for member in get_args(union))


INTERACTIONS = _named(SyntheticInteractions | UploadedInteractions, "source")
SENTENCES = _named(AnySentences, "source")
NETWORKS = {
    **dict.fromkeys((CLASSIFICATION, BUDGETED), _named(AnyArchitecture, "kind")),
    RECOMMENDER: _named(AnyScorer, "kind"),
    SHORTENING: frozenset({"quantum"}),
    DISTRIBUTION: frozenset(get_args(Autoregressive.model_fields["kind"].annotation)),
    EMBEDDING: _named(AnyEncoder, "kind"),
}
LOSSES = {
    **dict.fromkeys((CLASSIFICATION, BUDGETED), _named(Single, "kind")),
    RECOMMENDER: _named(SingleRanking, "kind"),
    EMBEDDING: _named(SingleOfVectors, "kind"),
}
INPUTS = {
    **dict.fromkeys((CLASSIFICATION, BUDGETED), "rows of numbers or images"),
    RECOMMENDER: "users and items",
    SHORTENING: "a circuit",
    DISTRIBUTION: "shots",
    EMBEDDING: "sentences",
}


def domain_of(body: Any) -> str:
    """By where its data comes from, of a circuit by what of it is kept, and of rows by what is said of the student."""
    if isinstance(body, BaseModel):
        return DOMAINS[type(body)]
    source = _word(body, "dataset", "source")
    if source == "circuit":
        return CIRCUITS.get(_word(body, "dataset", "keep") or "", SHORTENING)
    if source in SENTENCES:
        return EMBEDDING
    if source in INTERACTIONS:
        return RECOMMENDER
    return CLASSIFICATION if _at(body, *BUDGET) is None else BUDGETED


def _at(body: Any, *place: str | int) -> Any:
    """What stands at a place of a body that nobody has validated; None where there is nothing."""
    for part in place:
        if isinstance(body, Mapping):
            body = body.get(part)
        elif isinstance(body, list) and isinstance(part, int) and part < len(body):
            body = body[part]
        else:
            return None
    return body


def _word(body: Any, *place: str | int) -> str | None:
    """The text at a place; None where there is none."""
    found = _at(body, *place)
    return found if isinstance(found, str) else None


def _refuse_mixed(body: Any) -> Any:
    """A cnn for interactions has a reason of its own: the list of what would be valid there does not give it."""
    if _word(body, "dataset", "source") is None:
        return body  # which is an error of its own
    domain = domain_of(body)
    if _at(body, *BUDGET) is not None:
        _refuse_budget(body, domain)
    for place, kinds, what in _choices(body):
        named = _word(body, *place)
        if named is None or named in kinds.get(domain, {named}):  # what a domain has none of is an unknown field
            continue
        for other in kinds.keys() - {domain}:
            if named in kinds[other]:
                known = ", ".join(sorted(kinds[domain]))
                reason = f"{named} is a {what} for {INPUTS[other]}, and this data is {INPUTS[domain]}: choose {known}"
                refuse(place, "wrong_domain", reason, named)
    return body


def _refuse_budget(body: Any, domain: str) -> None:
    """Where there is nothing to choose among, or it is chosen already."""
    if domain != BUDGETED:
        reason = f"a budget chooses among networks for rows, and this data is {INPUTS[domain]}: name an `architecture`"
        refuse(BUDGET, "no_budget_here", reason, None)
    if _at(body, "student", "architecture") is not None:
        reason = "a budget looks for the architecture: leave one of the two out"
        refuse(BUDGET, "architecture_chosen", reason, None)


def _choices(body: Any) -> Iterator[tuple[FieldPath, Mapping[str, frozenset[str]], str]]:
    """(place, names by domain, what they name) wherever a body names something of a domain."""
    yield ("student", "architecture", "kind"), NETWORKS, "network"
    yield ("teacher", "architecture", "kind"), NETWORKS, "network"
    yield ("objective", "kind"), LOSSES, "loss"
    terms = _at(body, "objective", "terms")
    for position in range(len(terms) if isinstance(terms, list) else 0):
        yield ("objective", "terms", position, "objective", "kind"), LOSSES, "loss"


TaughtJob = DistillationJob | BudgetedJob | RecommenderJob | EmbeddingJob  # whose students learn from a teacher
AnyJob = TaughtJob | ShorteningJob | DistributionJob
DOMAINS: dict[type[BaseModel], str] = {
    DistillationJob: CLASSIFICATION,
    BudgetedJob: BUDGETED,
    RecommenderJob: RECOMMENDER,
    ShorteningJob: SHORTENING,
    DistributionJob: DISTRIBUTION,
    EmbeddingJob: EMBEDDING,
}
Job = Annotated[
    Annotated[
        Annotated[DistillationJob, Tag(CLASSIFICATION)]
        | Annotated[BudgetedJob, Tag(BUDGETED)]
        | Annotated[RecommenderJob, Tag(RECOMMENDER)]
        | Annotated[ShorteningJob, Tag(SHORTENING)]
        | Annotated[DistributionJob, Tag(DISTRIBUTION)]
        | Annotated[EmbeddingJob, Tag(EMBEDDING)],
        Discriminator(domain_of),
    ],
    BeforeValidator(_refuse_mixed),
]


@dataclass(frozen=True)
class Needs:
    """What a job needs besides its body, each with the JSON pointer that names it.

    files: (pointer, id, purpose). formats: (pointer, id, format) of files. models: (pointer, id). urls: (pointer, URL).
    """

    files: list[tuple[str, str, str]]
    formats: list[tuple[str, str, str]] = field(default_factory=list)
    models: list[tuple[str, str]] = field(default_factory=list)
    urls: list[tuple[str, str]] = field(default_factory=list)


def needs_of(job: AnyJob) -> Needs:
    """What must be there when a job is submitted, and kept until it is finished."""
    if isinstance(job, ShorteningJob):
        return Needs([])
    if isinstance(job, DistributionJob):
        file = job.dataset.file
        return Needs([] if file is None else [("/dataset/file", file, "dataset")])
    if isinstance(job, RecommenderJob):
        return Needs(files_of_recommender(job), models=models_of_recommender(job))
    if isinstance(job, EmbeddingJob):
        return Needs(files_of_embedding(job), formats_of_embedding(job), models_of_embedding(job))
    return Needs(referenced_files(job), formats_of_job(job), models_of_job(job), urls_of(job.teacher))
