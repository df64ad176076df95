"""The report of a distillation, whatever its domain."""

from typing import Annotated, Any, get_args

from pydantic import Discriminator, Tag

from qstill.contract.distillations.circuits.distribution.job import MEASURE
from qstill.contract.distillations.circuits.distribution.report import DistributionReport, read_distribution
from qstill.contract.distillations.circuits.job import MeasureOfCircuits
from qstill.contract.distillations.circuits.report import ShorteningReport, read_shortening
from qstill.contract.distillations.embeddings.job import MEASURE as OF_VECTORS
from qstill.contract.distillations.embeddings.report import EmbeddingReport, read_embeddings
from qstill.contract.distillations.recommenders.report import RecommenderReport, read_ranking
from qstill.contract.distillations.report.document import DistillationReport, read_report

ROWS, USERS, CIRCUIT, SHOTS, SENTENCES = "of rows", "of users", "of a circuit", "of shots", "of sentences"

AnyReport = DistillationReport | RecommenderReport | ShorteningReport | DistributionReport | EmbeddingReport


def domain_of(document: Any) -> str:
    """By what was measured. Earlier versions did not say of classes what that is."""
    measure = str(document.get("measure", "") if isinstance(document, dict) else document.measure)
    if measure == MEASURE:
        return SHOTS
    if measure == OF_VECTORS:
        return SENTENCES
    if measure in get_args(MeasureOfCircuits):
        return CIRCUIT
    return USERS if measure.startswith("ndcg@") else ROWS


Report = Annotated[
    Annotated[DistillationReport, Tag(ROWS)]
    | Annotated[RecommenderReport, Tag(USERS)]
    | Annotated[ShorteningReport, Tag(CIRCUIT)]
    | Annotated[DistributionReport, Tag(SHOTS)]
    | Annotated[EmbeddingReport, Tag(SENTENCES)],
    Discriminator(domain_of),
]


def read_any(document: dict[str, Any]) -> AnyReport:
    """Raises Problem (409) for a report that an earlier version wrote."""
    domain = domain_of(document)
    if domain == SHOTS:
        return read_distribution(document)
    if domain == SENTENCES:
        return read_embeddings(document)
    if domain == CIRCUIT:
        return read_shortening(document)
    return read_ranking(document) if domain == USERS else read_report(document)
