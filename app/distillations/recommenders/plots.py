"""The pictures of a recommender's report: what its teacher changed, and how its networks learned."""

from dataclasses import dataclass

from app.distillations.pictures.plots import COLOURS, AnyPlotName, learning_curves, legend
from app.web.axes import WIDTH, drawn, heading, linear
from app.web.drawing import GRID, INK, MUTED, Box, Dot, Line, Mark, Text, text_width
from qstill.contract.distillations.measures.measure import ranking as measured_by
from qstill.contract.distillations.recommenders.report import RankingDifference, RecommenderReport
from qstill.contract.errors import Problem

POPULAR = "#a3acb9"
LEFT, RIGHT = 72.0, WIDTH - 28.0
TOP, BOTTOM = 96.0, 330.0  # of the bars
ROW = 34.0  # of a difference


def ranking_plot(name: AnyPlotName, report: RecommenderReport) -> str:
    """An SVG. Raises Problem."""
    if name == "ranking":
        return ranking(report)
    if name == "curves":
        return learning_curves(report.curves, measured_by(report.measure.upper()))
    title = f"There is no picture `{name}` of a recommender; there are `curves` and `ranking`."
    raise Problem("nothing_to_draw", title, status=404)


def ranking(report: RecommenderReport) -> str:
    """Bars of each measure for teacher, student, baseline and popularity; below, student minus baseline."""
    k = report.job["evaluation"]["k"]
    names = {"ndcg": f"NDCG@{k}", "hit": f"Hit@{k}", "mrr": "Reciprocal rank"}
    subtitle = "Test interactions: mean over seeds, with lines of one standard deviation."
    marks = [*heading("How well it ranks", subtitle), *legend(role for role, _ in report.arms())]
    marks += [Box(342, 67, 14, 4, POPULAR), Text(362, 73, "the most popular items", 11, "start")]
    groups = _groups(report, names)
    marks += _bars(groups)
    said = [f"{words}: " + ", ".join(f"{bar.who} {bar.value:.4f}" for bar in bars) for words, bars in groups.items()]
    height = BOTTOM + 40
    differences = {names[name]: each for name, each in report.paired_differences_in_points.items() if each}
    if differences:
        marks += _differences(report, differences, height)
        height += 100 + ROW * len(differences)
    return drawn(round(height), "How well it ranks", f"{'; '.join(said)}.", marks)


@dataclass(frozen=True)
class _Bar:
    """sd: over seeds; 0 where there is one."""

    who: str
    colour: str
    value: float
    sd: float


def _groups(report: RecommenderReport, names: dict[str, str]) -> dict[str, list[_Bar]]:
    """What is drawn side by side, by what it measures."""
    groups = {}
    for name, words in names.items():
        spreads = [(role, arm.summary[name]) for role, arm in report.arms()]
        bars = [_Bar(role, COLOURS[role], spread.mean, spread.sd or 0.0) for role, spread in spreads]
        groups[words] = [*bars, _Bar("popularity", POPULAR, getattr(report.popularity, name), 0.0)]
    for share in report.by_popularity:
        hits = [(role, getattr(share, role)) for role, _ in report.arms()]
        words = f"{names['hit']}, {'popular' if share.items_of == 'head' else 'others'}"
        groups[words] = [_Bar(role, COLOURS[role], hit, 0.0) for role, hit in hits if hit is not None]
    return {words: bars for words, bars in groups.items() if bars}


def _bars(groups: dict[str, list[_Bar]]) -> list[Mark]:
    up = linear([0.0, *(bar.value + bar.sd for bars in groups.values() for bar in bars)], BOTTOM, TOP, least=0.0)
    marks: list[Mark] = [Text(20, (TOP + BOTTOM) / 2, "Test", 12, upwards=True)]
    for tick in up.ticks():
        marks.append(Line(LEFT, up(tick), RIGHT, up(tick), GRID if tick else INK))
        marks.append(Text(LEFT - 8, up(tick) + 4, f"{tick:.4g}", 11, "end", MUTED))
    room = (RIGHT - LEFT) / len(groups)
    for place, (words, bars) in enumerate(groups.items()):
        middle, width = LEFT + room * (place + 0.5), min(26.0, room / (len(bars) + 1))
        marks.append(Text(middle, BOTTOM + 18, words, 11))
        for number, bar in enumerate(bars):
            left, top = middle + width * (number - len(bars) / 2), up(bar.value)
            marks.append(
                Box(left + 1, top, width - 2, max(BOTTOM - top, 0.5), bar.colour, words=f"{bar.who} {bar.value:.4f}")
            )
            if bar.sd:
                x = left + width / 2
                marks.append(Line(x, up(max(bar.value - bar.sd, 0)), x, up(bar.value + bar.sd), INK, 1.5))
    return marks


def _differences(report: RecommenderReport, found: dict[str, RankingDifference], top: float) -> list[Mark]:
    """Student minus baseline, a row for each measure."""
    left = 40 + max(text_width(name, 12) for name in found)
    ends = [end for each in found.values() for end in (each.mean, each.low, each.high) if end is not None]
    across, bottom = linear([0.0, *ends], left, WIDTH - 190.0), top + 50 + ROW * len(found)
    subtitle = "Student minus baseline in hundredths, mean over paired seeds, with its 95% interval."
    marks: list[Mark] = [Text(28, top + 14, "What the teacher changed", 14, "start", INK, bold=True)]
    marks.append(Text(28, top + 32, subtitle, 11, "start", MUTED))
    for tick in across.ticks():
        marks.append(Line(across(tick), top + 44, across(tick), bottom, GRID if tick else INK))
        marks.append(Text(across(tick), bottom + 17, f"{tick:+.4g}" if tick else "0", 11, colour=MUTED))
    for place, (name, each) in enumerate(found.items()):
        y = top + 50 + ROW * (place + 0.5)
        colour = COLOURS["student" if each.mean >= 0 else "baseline"]
        words = f"{each.mean:+.2f}"
        if each.low is not None and each.high is not None:
            marks.append(Line(across(each.low), y, across(each.high), y, colour, 2.5))
            words += f"  ({each.low:+.2f} to {each.high:+.2f})"
        marks.append(Dot(across(each.mean), y, colour, f"{name}: {words}", 5))
        marks += [Text(left - 12, y + 4, name, 12, "end"), Text(WIDTH - 176, y + 4, words, 12, "start", MUTED)]
    marks.append(Text(28, bottom + 38, f"Verdict: {report.verdict}", 12, "start", INK, bold=True))
    return marks
