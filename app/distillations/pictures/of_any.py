"""The picture of a report, whatever its domain; and which pictures one has."""

from app.distillations.circuits.distribution.plots import distribution_plot
from app.distillations.circuits.plots import shortening_plot
from app.distillations.embeddings.plots import embedding_plot
from app.distillations.pictures.plots import PLOTS, AnyPlotName
from app.distillations.recommenders.plots import ranking_plot
from qstill.contract.distillations.circuits.distribution.report import DistributionReport
from qstill.contract.distillations.circuits.report import ShorteningReport
from qstill.contract.distillations.embeddings.report import EmbeddingReport
from qstill.contract.distillations.recommenders.report import RecommenderReport
from qstill.contract.distillations.reports import AnyReport
from qstill.contract.errors import Problem

TITLES: dict[AnyPlotName, str] = {  # in the order in which a page shows them
    "curves": "Learning, epoch by epoch",
    "per_class": "What the teacher changed in each class",
    "ranking": "What the teacher changed in each measure",
    "distribution": "What is said of the most frequent keys",
    "reliability": "Calibration: accuracy over confidence",
    "pareto": "Quality over bytes",
    "compression": "Beside pruned and quantised networks",
    "budget": "What each candidate within the budget is worth",
    "shots": "Quality over the shots of a row",
    "noise": "Over the strength of the noise",
    "expressibility": "How much of its space the circuit reaches",
    "surrogate": "The surrogate beside the circuit",
}


def draw(plot: AnyPlotName, report: AnyReport) -> str:
    """An SVG. Raises Problem (404) where the report has no such picture."""
    match report:
        case ShorteningReport():
            return shortening_plot(plot, report)
        case DistributionReport():
            return distribution_plot(plot, report)
        case RecommenderReport():
            return ranking_plot(plot, report)
        case EmbeddingReport():
            return embedding_plot(plot, report)
    if plot == "ranking" or plot == "distribution":
        title = f"Of classes and numbers there is no picture `{plot}`: there are `curves` and `pareto`."
        raise Problem("nothing_to_draw", title, status=404)
    return PLOTS[plot](report)


def drawable(report: AnyReport) -> list[AnyPlotName]:
    """The pictures that this report has: what cannot be drawn says so when it is tried."""

    def is_there(plot: AnyPlotName) -> bool:
        try:
            draw(plot, report)
        except Problem:
            return False
        return True

    return [plot for plot in TITLES if is_there(plot)]
