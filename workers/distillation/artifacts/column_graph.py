"""The encoding of a table as the first part of an ONNX file: raw rows go in, one input a column.

Numbers are tensors of floats (rows, 1), NaN in gaps; words, dates, and true or false are tensors of strings (rows, 1),
without blanks around them, "" or whatever else says nothing in gaps.

    age, job = np.array([[41.0], [np.nan]], np.float32), np.array([["nurse"], [""]], object)
    session.run(["logits"], {"age": age, "job": job})
"""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, compose, helper, numpy_helper

from qstill.contract.distillations.report.exports import ColumnInput
from qstill.contract.tables.cells import MISSING
from qstill.contract.tables.columns import WHOLE_TRUTHS
from qstill.contract.tables.dates import DateForm
from workers.distillation.tables.dates import BEFORE_MARCH, FIRST_DAY, MONDAY_FIRST, parts_of
from workers.distillation.tables.encoding import CategoryEncoder, DateEncoder, Encoding, NumberEncoder
from workers.distillation.tables.frame import GAP, Array

ML_OPSET = 3  # of ai.onnx.ml: its LabelEncoder maps strings to one number each
OPSET = 20  # the first with StringSplit and RegexFullMatch
NETWORK = "network/"  # before the names within what was there


def with_columns(content: bytes, encoding: Encoding) -> bytes:
    """The model of a file that takes encoded rows, behind their encoding."""
    model = compose.add_prefix(onnx.load_from_string(content), NETWORK, rename_outputs=False)
    graph, encoded = model.graph, model.graph.input[0].name
    outputs = [each.name for each in graph.output]
    pieces = _Pieces()
    parts, inputs = [], []
    for encoder, takes in zip(encoding.encoders, column_inputs(encoding, outputs), strict=True):
        name, numeric = takes.input, takes.type == "float"
        kind = TensorProto.FLOAT if numeric else TensorProto.STRING
        inputs.append(helper.make_tensor_value_info(name, kind, ["batch", 1]))
        match encoder:
            case NumberEncoder():
                given = name if numeric else pieces.truth(name)
                parts += pieces.filled(given, [encoder.median], TensorProto.FLOAT, gaps=encoder.gaps)
            case DateEncoder():
                given = pieces.date(name, encoder.form)
                parts += pieces.filled(given, encoder.medians, TensorProto.DOUBLE, gaps=encoder.gaps)
            case CategoryEncoder():
                parts.append(pieces.one_hot(name, encoder, encoding.missing))
    pieces.add("Concat", parts, axis=1, output=encoded)
    _begin_with(model, inputs, pieces)
    return bytes(model.SerializeToString())


def column_inputs(encoding: Encoding, outputs: Sequence[str]) -> list[ColumnInput]:
    """What a file takes of each column: its input has the column's own name, unless that is an output's."""
    return [
        ColumnInput(
            column=each.name,
            input=f"{each.name} (input)" if each.name in outputs else each.name,
            type="float" if isinstance(each, NumberEncoder) and each.kind == "numeric" else "string",
        )
        for each in encoding.encoders
    ]


def spellings(missing: Sequence[str]) -> list[str]:
    """Of gaps, as tables write them: ONNX has no way to make letters small."""
    known = {form for word in MISSING for form in (word, word.upper(), word.capitalize())}
    return sorted(known | {"NaN", "-NaN", "#N/A N/A", "N/a", GAP} | set(missing))


class _Pieces:
    """Nodes one after another, and the constants that they share."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}

    def add(self, operator: str, given: list[str], *, output: str = "", domain: str = "", **attributes: object) -> str:
        """The name of what the operator gives, of several the first."""
        name = output or f"columns/{len(self.nodes)}"
        names = [name, f"{name}/count"] if operator == "StringSplit" else [name]
        self.nodes.append(helper.make_node(operator, given, names, domain=domain, **attributes))  # type: ignore[arg-type]
        return name

    def constant(self, value: Array) -> str:
        known = f"{value.dtype} {value.tolist()!r}"
        if known not in self.constants:
            self.constants[known] = numpy_helper.from_array(value, f"columns/constant {len(self.constants)}")
        return self.constants[known].name

    def words(self, *words: str) -> str:
        return self.constant(np.array(words, dtype=object))

    def truth(self, name: str) -> str:
        """1, 0, or NaN."""
        return self.add(
            "LabelEncoder",
            [name],
            domain="ai.onnx.ml",
            keys_strings=list(WHOLE_TRUTHS),
            values_floats=[float(value) for value in WHOLE_TRUTHS.values()],
            default_float=float("nan"),
        )

    def one_hot(self, name: str, encoder: CategoryEncoder, missing: Sequence[str]) -> str:
        places = dict.fromkeys(spellings(missing), encoder.missing)
        places |= {category: place for place, category in enumerate(encoder.categories)}
        code = self.add(
            "LabelEncoder",
            [name],
            domain="ai.onnx.ml",
            keys_strings=list(places),
            values_int64s=list(places.values()),
            default_int64=encoder.unseen,
        )
        every = self.constant(np.arange(len(encoder.inputs()), dtype=np.int64)[None])
        return self.add("Cast", [self.add("Equal", [code, every])], to=TensorProto.FLOAT)

    def filled(self, given: str, medians: list[float], kind: int, *, gaps: bool) -> list[str]:
        """Values with medians in the place of NaN, and whether there was one."""
        missing = self.add("IsNaN", [given])
        number = helper.tensor_dtype_to_np_dtype(kind)
        whole = self.add("Where", [missing, self.constant(np.array([medians], dtype=number)), given])
        if kind != TensorProto.FLOAT:
            whole = self.add("Cast", [whole], to=TensorProto.FLOAT)
        if not gaps:
            return [whole]
        first = self.add("Slice", [missing, *(self.constant(np.array([at])) for at in (0, 1, 1))])
        return [whole, self.add("Cast", [first], to=TensorProto.FLOAT)]

    def date(self, name: str, form: DateForm) -> str:
        """Its parts (rows, parts) in double precision, NaN for what is no date of this form."""
        fits = self.add("RegexFullMatch", [name], pattern=form.pattern)
        some_day = form.sign.join({"y": "1970", "m": "01", "d": "01"}[part] for part in form.order)
        day = self.add("Where", [fits, name, self.words(some_day)])
        hour, minute, second = (self.constant(np.zeros((1, 1))) for _ in range(3))
        if form.before_time:
            day, time = self._parts(self.add("StringConcat", [day, self.words(f"{form.before_time}0:0")]), form)
            clock = self._split(self.add("StringConcat", [time, self.words(":0")]), ":")
            hour, minute, second = (self._number(self._at(clock, place)) for place in range(3))
        parts = self._split(day, form.sign)
        year, month, date = (self._number(self._at(parts, form.order.index(part))) for part in "ymd")
        columns = self._calendar(year, month, date, hour, minute, second)[: len(parts_of(form))]
        whole = self.add("Concat", columns, axis=1)
        return self.add("Where", [fits, whole, self.constant(np.array([[np.nan]]))])

    def _parts(self, cell: str, form: DateForm) -> tuple[str, str]:
        """The day, and the time of day without what says its zone."""
        parts = self._split(cell, form.before_time)
        time = self._at(parts, 1)
        if form.zone:
            time = self._at(self._split(self.add("StringConcat", [time, self.words(form.zone)]), form.zone), 0)
        return self._at(parts, 0), time

    def _calendar(self, year: str, month: str, day: str, hour: str, minute: str, second: str) -> list[str]:
        """As `tables.dates.dates`."""
        march = self._floor(self._over(self._plus(month, BEFORE_MARCH), 12))
        years = self.add("Add", [self._plus(year, -1), march])
        months = self.add("Sub", [self._plus(month, BEFORE_MARCH), self._times(march, 12)])
        fourth, hundredth, last = (self._floor(self._over(years, each)) for each in (4, 100, 400))
        leaps = self.add("Add", [self.add("Sub", [fourth, hundredth]), last])
        before = self._floor(self._over(self._plus(self._times(months, 153), 2), 5))
        days = self.add("Add", [self.add("Add", [self._times(years, 365), leaps]), before])
        days = self._plus(self.add("Add", [days, day]), -1 - FIRST_DAY)
        shifted = self._plus(days, MONDAY_FIRST)
        weekday = self.add("Sub", [shifted, self._times(self._floor(self._over(shifted, 7)), 7)])
        hours = self.add("Add", [self.add("Add", [hour, self._over(minute, 60)]), self._over(second, 3600)])
        return [self.add("Add", [days, self._over(hours, 24)]), month, day, weekday, hours]

    def _split(self, cell: str, sign: str) -> str:
        return self.add("StringSplit", [cell], delimiter=sign)

    def _at(self, parts: str, place: int) -> str:
        return self.add("Gather", [parts, self.constant(np.array(place))], axis=-1)

    def _number(self, words: str) -> str:
        return self.add("Cast", [words], to=TensorProto.DOUBLE)

    def _floor(self, value: str) -> str:
        return self.add("Floor", [value])

    def _plus(self, value: str, number: float) -> str:
        return self.add("Add", [value, self.constant(np.array(float(number)))])

    def _times(self, value: str, number: float) -> str:
        return self.add("Mul", [value, self.constant(np.array(float(number)))])

    def _over(self, value: str, number: float) -> str:
        return self.add("Div", [value, self.constant(np.array(float(number)))])


def _begin_with(model: ModelProto, inputs: list[ValueInfoProto], pieces: _Pieces) -> None:
    graph = model.graph
    nodes, constants = [*pieces.nodes, *graph.node], [*pieces.constants.values(), *graph.initializer]
    for field, values in ((graph.node, nodes), (graph.initializer, constants), (graph.input, inputs)):
        del field[:]
        field.extend(values)
    newest = {"": OPSET, "ai.onnx.ml": ML_OPSET}
    for each in model.opset_import:
        newest[each.domain] = max(newest.get(each.domain, 0), each.version)
    del model.opset_import[:]
    model.opset_import.extend(helper.make_opsetid(domain, version) for domain, version in newest.items())
