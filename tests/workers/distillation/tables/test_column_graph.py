"""An ONNX file that takes raw rows says what the service says of them, whatever the table."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from qstill.contract.distillations.datasets import UploadedData
from qstill.contract.errors import Problem
from qstill.contract.tables.cells import MISSING, is_missing
from tests.testing.examples import examples
from workers.distillation.artifacts.column_graph import column_inputs, spellings, with_columns
from workers.distillation.artifacts.onnx_session import open_session
from workers.distillation.data.dataset import Data, load
from workers.distillation.tables.encoding import Encoding
from workers.distillation.tables.frame import Frame, fed, words_of

FILE = "file_1"
GAPS = ["", "NA", "nan", "NULL", "?", "n/a", "None"]
SIGNS = st.characters(codec="utf-8", exclude_characters='",\n\r\0', exclude_categories=["C", "Z"])
LETTERS = st.text(SIGNS, min_size=1)
FORMS = ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%SZ", "%Y/%m/%d %H:%M:%S"]

words = LETTERS.filter(lambda word: not is_missing(word))
moments = st.datetimes(datetime(1700, 1, 1), datetime(2300, 1, 1))  # cells have no zone


@st.composite
def columns(draw: Callable[..., Any], rows: int) -> list[str]:
    """The cells of one column, some of them gaps."""
    kind = draw(st.sampled_from(["numbers", "words", "dates", "truths"]))
    if kind == "numbers":
        cells = st.floats(-1e6, 1e6, width=32).map(repr)
    elif kind == "words":
        cells = st.sampled_from(draw(st.lists(words, min_size=2, max_size=6, unique=True)))
    elif kind == "dates":
        form = draw(st.sampled_from(FORMS))
        cells = moments.map(lambda moment: moment.strftime(form))
    else:
        cells = st.sampled_from(draw(st.sampled_from([["yes", "no"], ["True", "False"], ["T", "F"]])))
    with_gaps = draw(st.booleans())
    return draw(st.lists(st.sampled_from(GAPS) | cells if with_gaps else cells, min_size=rows, max_size=rows))


@st.composite
def tables(draw: Callable[..., Any]) -> list[list[str]]:
    """A header and rows; the last column is the label."""
    rows = draw(st.integers(12, 30))
    names = ["logits", "a b", "é", "network/x"][: draw(st.integers(1, 4))]
    cells = [draw(columns(rows)) for _ in names]
    labels = [str(number % 2) for number in range(rows)]
    return [[*names, "y"], *map(list, zip(*cells, labels, strict=True))]


def read(folder: Path, table: list[list[str]]) -> Data:
    place = folder / "table.csv"
    place.write_text("".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in table), "utf-8")
    return load(UploadedData(source="file", file=FILE), {FILE: place})


def identity(inputs: int) -> bytes:
    """A network that says what it is given."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", inputs]) for name in ("inputs", "logits")]
    graph = helper.make_graph([helper.make_node("Identity", ["inputs"], ["logits"])], "network", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())


def said(encoding: Encoding, frame: Frame) -> torch.Tensor:
    """By the ONNX file."""
    session = open_session(with_columns(identity(len(encoding.inputs())), encoding), threads=1)
    takes = column_inputs(encoding, ["logits"])
    given = {each.input: fed(frame.columns[each.column], each.numpy_type) for each in takes}
    return torch.from_numpy(session.run(["logits"], given)[0])


@given(table=tables())
@settings(deadline=None, max_examples=examples(40))
def test_what_goes_in_raw_is_encoded_as_the_service_encodes_it(tmp_path_factory: Any, table: list[list[str]]) -> None:
    try:
        data = read(tmp_path_factory.mktemp("t"), table)
    except Problem:
        reject()  # no column is left, say: what is refused has tests of its own
    assume(data.encoding is not None)
    assert data.columns is not None
    assert data.encoding is not None
    for rows in (data.train, data.test):
        frame = data.columns.frame.some(rows.index.numpy())
        torch.testing.assert_close(said(data.encoding, frame), rows.raw, rtol=0, atol=0)


def test_words_that_training_did_not_show_and_gaps_however_spelled_are_encoded_alike(tmp_path: Path) -> None:
    rows = [["2020-01-31", "yes", "red", "0"], ["2021-02-28", "no", "blue", "1"], ["", "NA", "?", "0"]] * 10
    encoding = read(tmp_path, [["day", "member", "colour", "y"], *rows]).encoding
    assert encoding is not None
    strange = ["2020-13-01", "31.12.2020", "yesterday", "maybe", "green", *spellings([])]
    both = Frame({name: words_of(strange) for name in ("day", "member", "colour")})
    blank = Frame({name: words_of(["" if is_missing(cell) else cell for cell in strange]) for name in both.columns})
    torch.testing.assert_close(said(encoding, both), torch.from_numpy(encoding.encode(blank)), rtol=0, atol=0)


def test_all_that_says_nothing_is_known_to_the_file() -> None:
    assert set(spellings(["-9"])) >= MISSING | {"-9", "NaN", "NULL", "N/A", "None", "<NA>"}


def test_a_file_is_checked_by_onnx_and_holds_its_card(tmp_path: Path) -> None:
    rows = [["2020-01-31 10:00", str(number), "red"[: number % 3], str(number % 2)] for number in range(30)]
    encoding = read(tmp_path, [["day", "size", "colour", "y"], *rows]).encoding
    assert encoding is not None
    model = onnx.load_from_string(identity(len(encoding.inputs())))
    helper.set_model_props(model, {"qstill": "{}"})
    whole = onnx.load_from_string(with_columns(model.SerializeToString(), encoding))
    onnx.checker.check_model(whole, full_check=True)
    assert whole.metadata_props[0].key == "qstill"
    assert [each.name for each in whole.graph.input] == ["size", "colour"]  # all days are the same
    assert np.isfinite(encoding.encode(Frame({name: words_of(["", "1"]) for name in ("size", "colour")}))).all()
