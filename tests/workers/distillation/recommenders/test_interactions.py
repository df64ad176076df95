"""Interactions: read, numbered, held out; and what is wrong with them, at once and by name."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from qstill.contract.distillations.recommenders.data import SyntheticInteractions, UploadedInteractions
from qstill.contract.errors import Problem
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.distillation.recommenders.data.dataset import Data, Pairs, load
from workers.distillation.recommenders.distil import membership

FILE = "file_1"

Write = Callable[[str], Path]


def uploaded(path: Path, **options: Any) -> Data:
    spec = UploadedInteractions(source="interactions", file=FILE, **options)
    return load(spec, {FILE: path})


def refusal(path: Path, **options: Any) -> Problem:
    return problem_of(uploaded, path, **options)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to(text: str) -> Path:
        path = tmp_path / "interactions.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return to


def named(data: Data, pairs: Pairs) -> set[tuple[str, str]]:
    rows = zip(pairs.users.tolist(), pairs.items.tolist(), strict=True)
    return {(data.user_names[user], data.item_names[item]) for user, item in rows}


TIMES = "who,what,when\n" + "".join(f"{u},{i},{t}\n" for u in "ab" for t, i in enumerate(["x", "y", "z", "w"]))
COLUMNS: dict[str, Any] = {"user": "who", "item": "what", "time": "when"}


def test_leave_one_out_tests_the_last_and_validates_by_the_one_before(write: Write) -> None:
    data = uploaded(write(TIMES + "c,z,5\nc,w,1\n"), **COLUMNS)  # c has too few to hold out
    assert named(data, data.test) == {("a", "w"), ("b", "w")}
    assert named(data, data.validation) == {("a", "z"), ("b", "z")}
    assert named(data, data.train) == {("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("c", "z"), ("c", "w")}


def test_held_out_items_that_training_does_not_know_are_dropped_and_counted(write: Write) -> None:
    text = "user,item,time\n" + "".join(f"{u},{i},{t}\n" for u in "abc" for t, i in enumerate("pqrs"))
    for old, new in (("c,r,2", "c,q2,2"), ("c,q,1", "c,r,1"), ("b,p,0", "b,s,0"), ("b,s,3", "b,new,3")):
        text = text.replace(old, new)
    data = uploaded(write(text), time="time")
    assert named(data, data.test) == {("a", "s"), ("c", "s")}  # b's is new
    assert named(data, data.validation) == {("a", "r"), ("b", "r")}  # c's is q2
    assert data.cold == 2
    assert len(data.train) == 6


@given(st.integers(0, 2**31), st.sampled_from(["leave_one_out", "time"]))
@settings(max_examples=examples(20), deadline=None)
def test_splits_share_nothing_lose_nothing_and_look_ahead_never(seed: int, split: Any) -> None:
    spec = SyntheticInteractions(
        source="synthetic_interactions", users=30, items=40, per_user=6, seed=seed, split=split, test=0.2
    )
    data = load(spec, {})
    splits = [named(data, each) for each in (data.train, data.validation, data.test)]
    assert sum(map(len, splits)) == len(set.union(*splits))
    everything = load(spec.model_copy(update={"seed": seed}), {})
    assert everything.digest == data.digest
    assert [named(everything, each) for each in (everything.train, everything.validation, everything.test)] == splits
    known_users, known_items = ({name for pair in splits[0] for name in pair[side : side + 1]} for side in (0, 1))
    for user, item in splits[1] | splits[2]:
        assert user in known_users
        assert item in known_items
    for user in range(data.users):
        asked = torch.tensor([user])
        chosen = {item for who, item in splits[0] if who == data.user_names[user]}
        assert int(data.unseen.counts(asked)) == data.items - len(chosen)


def test_a_split_by_time_predicts_nothing_from_its_future(write: Write) -> None:
    random = np.random.default_rng(0)
    rows = {(int(u), int(i)): int(t) for u, i, t in random.integers(0, (9, 7, 12), (200, 3))}
    text = "user,item,time\n" + "".join(f"u{u},i{i},{t}\n" for (u, i), t in rows.items())
    data = uploaded(write(text), time="time", split="time", test=0.2, validation=0.2)
    moments = [
        {rows[int(user[1:]), int(item[1:])] for user, item in named(data, each)}
        for each in (data.train, data.validation, data.test)
    ]
    assert max(moments[0]) < min(moments[1])
    assert max(moments[1]) < min(moments[2])


def test_names_and_numbers_of_csv_and_parquet_are_the_same_data(write: Write, tmp_path: Path) -> None:
    rows = [(user, item, user * 3 + item) for user in range(12) for item in range(user % 3, user % 3 + 5)]
    text = "user,item,time\n" + "".join(f"{u},{i},{t}\n" for u, i, t in rows)
    table = pa.table({name: [row[n] for row in rows] for n, name in enumerate(("user", "item", "time"))})
    pq.write_table(table, tmp_path / "interactions.parquet")
    first, second = uploaded(write(text), time="time"), uploaded(tmp_path / "interactions.parquet", time="time")
    assert first.digest == second.digest
    stamped = table.set_column(2, "time", pa.array([row[2] * 1_000_000 for row in rows], pa.timestamp("us")))
    pq.write_table(stamped, tmp_path / "stamped.parquet")
    assert uploaded(tmp_path / "stamped.parquet", time="time").digest == first.digest


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("packed", [False, True])
def test_encodings_with_a_mark_and_gzip_are_the_same_interactions(
    write: Write, tmp_path: Path, encoding: str, packed: bool
) -> None:
    text = TIMES.replace(",x,", ",ä,") + "c,z,5\nc,w,1\n"
    content = text.encode(encoding)
    (tmp_path / "other").write_bytes(gzip.compress(content, mtime=0) if packed else content)
    assert uploaded(tmp_path / "other", **COLUMNS).digest == uploaded(write(text), **COLUMNS).digest


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'"user,item\n1,2\n', "a quotation mark is opened and never closed"),
        (b'user,"' + b"x" * 200_000 + b'"\n1,2\n', "There must be one column 'item'"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (gzip.compress(b"user,item\n" + b"1,2\n" * 99, mtime=0)[:-9], "begins as a gzip and is damaged"),
    ],
)
def test_what_no_table_is_ends_in_words(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "t").write_bytes(content)
    problem = refusal(tmp_path / "t")
    assert "0x" not in problem.title
    assert said in problem.title


def test_without_times_a_seed_draws_what_is_held_out(write: Write) -> None:
    path = write("user,item\n" + "".join(f"{u},{i}\n" for u in range(9) for i in range(6)))
    first, again, other = (uploaded(path, split_seed=seed) for seed in (0, 0, 1))
    assert named(first, first.test) == named(again, again.test)
    assert named(first, first.test) != named(other, other.test)


def test_repeated_pairs_are_refused_or_kept_once(write: Write) -> None:
    path = write(TIMES + "c,z,5\nc,w,1\na,x,9\n")
    problem = refusal(path, **COLUMNS)
    assert problem.code == "dataset_invalid"
    assert problem.title.startswith("Row 10: user 'a' has item 'x' again")
    assert problem.ways_out == [{"duplicates": "first"}]
    first, last = (uploaded(path, **COLUMNS, duplicates=which) for which in ("first", "last"))
    assert ("a", "x") in named(first, first.train)
    assert ("a", "x") in named(last, last.test)


ROWS = "".join(f"{u},{i}\n" for u in range(4) for i in range(5))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("user,item\n", "no rows"),
        ("user,item\n1,2\n,3\n", "Row 1: user is empty"),
        ("user,item\n1,2\n-1,3\n", "Row 1: user is -1; negative"),
        ("user,item\n1,2,3\n", "no readable csv"),
        ("user,item\n" + ROWS.replace("3,4\n", "3," + "x" * 201 + "\n"), "Row 19: item must be of 1 to 200"),
        ("user,item\n" + "".join(f"me,{i}\n" for i in range(9)), "1 users; 2 to"),
        ("user,item\n" + "".join(f"{u},one\n" for u in range(9)), "1 items; 2 to"),
    ],
)
def test_what_is_wrong_with_a_table_is_named(write: Write, text: str, said: str) -> None:
    problem = refusal(write(text))
    assert problem.code == "dataset_invalid"
    assert problem.pointer == "/dataset/file"
    assert said in problem.title


@pytest.mark.parametrize("time", ["soon", "nan", "inf", ""])
def test_times_are_numbers_or_timestamps(write: Write, time: str) -> None:
    problem = refusal(write(TIMES.replace("b,y,1", f"b,y,{time}")), **COLUMNS)
    assert (problem.code, problem.title[:6]) == ("dataset_invalid", "Row 5:")


def test_interactions_too_thin_to_hold_anything_out_are_refused(write: Write) -> None:
    problem = refusal(write("user,item\n1,a\n1,b\n2,a\n2,c\n"))
    assert problem.code == "too_few_interactions"
    assert "three interactions" in problem.title
    strangers = "user,item\n" + "".join(f"{u},{u}{i}\n" for u in range(3) for i in range(4))  # nobody shares an item
    assert refusal(write(strangers)).code == "too_few_interactions"


def test_more_rows_than_are_read_are_refused_before_they_are_all_read(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.distillation.recommenders.data.read.MAX_INTERACTIONS", 19)
    assert "more than 19 rows" in refusal(write("user,item\n" + ROWS)).title
    monkeypatch.setattr("workers.distillation.recommenders.data.read.MAX_INTERACTIONS", 20)
    uploaded(write("user,item\n" + ROWS))


@pytest.mark.parametrize("content", [b"PAR1 and nothing else", b"\xff\xfe\x00user", b"PK\x03\x04"])
def test_files_of_another_kind_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert refusal(path).code == "dataset_invalid"


def test_numbers_with_fractions_name_nobody(tmp_path: Path) -> None:
    pq.write_table(pa.table({"user": [0.5, 1.0], "item": [1, 2]}), tmp_path / "file")
    assert "with a fraction" in refusal(tmp_path / "file").title


def test_synthetic_interactions_follow_their_parameters() -> None:
    def counts(**changes: Any) -> tuple[Data, np.ndarray[Any, Any]]:
        data = load(SyntheticInteractions(source="synthetic_interactions", users=400, items=100, **changes), {})
        return data, np.sort(data.train.items.bincount(minlength=data.items).numpy())[::-1]

    data, skewed = counts(per_user=12, popularity=1.5)
    _, level = counts(per_user=12, popularity=0.0)
    assert skewed[:5].sum() > 2 * level[:5].sum()
    assert len(data.train) + len(data.validation) + len(data.test) + data.cold == pytest.approx(400 * 12, rel=0.1)
    per_user = data.train.users.bincount(minlength=400) + 2
    assert int(per_user.min()) >= 3


@pytest.mark.parametrize(("field", "value"), [("user", "who"), ("item", "what"), ("time", "when")])
def test_a_column_that_is_missing_is_told_at_the_field_that_names_it(write: Write, field: str, value: str) -> None:
    problem = refusal(write("user,item\n1,2\n"), **{field: value})
    assert (problem.code, problem.pointer) == ("dataset_invalid", f"/dataset/{field}")
    assert f"one column {value!r}; the table has user, item" in problem.title


PARTS = ["train", "train", "val", "test"]
OWN = "who,what,when,part\n" + "".join(
    f"{u},{i},{t},{PARTS[t]}\n" for u in "ab" for t, i in enumerate("xywz" if u == "a" else "zwyx")
)
OWN_COLUMNS: dict[str, Any] = {"user": "who", "item": "what", "split": {"column": "part"}}
SPLIT = "file_2"


def by_file(path: Path, content: str, **split: Any) -> Data:
    (path.parent / "splits").write_text(content)
    options = COLUMNS | {"split": {"file": SPLIT, **split}}
    spec = UploadedInteractions.model_validate({"source": "interactions", "file": FILE, **options})
    return load(spec, {FILE: path, SPLIT: path.parent / "splits"})


def test_a_column_says_which_interactions_are_held_out(write: Write) -> None:
    data = uploaded(write(OWN), **OWN_COLUMNS)
    assert named(data, data.validation) == {("a", "w"), ("b", "y")}
    assert named(data, data.test) == {("a", "z"), ("b", "x")}
    assert data.rows == ([0, 1, 4, 5], [2, 6], [3, 7])


def test_a_file_says_it_too_and_what_a_job_held_out_is_held_out_again(write: Write) -> None:
    path = write(OWN)
    column = uploaded(path, **OWN_COLUMNS)
    words = by_file(path, "\n".join(PARTS * 2))
    numbers = by_file(path, json.dumps(membership(column)))
    assert column.rows == words.rows == numbers.rows
    assert named(numbers, numbers.test) == named(column, column.test)


@pytest.mark.parametrize(
    ("change", "pointer", "said"),
    [
        (("a,y,1,train", "a,y,1,later"), "/dataset/split/column", "'later' in row 1 names no split"),
        (("part", "other"), "/dataset/split/column", "one column 'part'"),
        (("test", "train"), "/dataset", "The test split has no interaction"),
    ],
)
def test_a_column_that_divides_nothing_is_refused(
    write: Write, change: tuple[str, str], pointer: str, said: str
) -> None:
    problem = refusal(write(OWN.replace(*change)), **OWN_COLUMNS)
    assert problem.pointer == pointer
    assert said in problem.title


def test_a_file_for_other_rows_is_refused(write: Write) -> None:
    problem = problem_of(by_file, write(OWN), "train\n")
    assert (problem.code, problem.pointer) == ("dataset_invalid", "/dataset/split/file")
    for wrong in ({}, {"column": "who"}):
        with pytest.raises(ValidationError):
            UploadedInteractions.model_validate({"source": "interactions", "file": FILE, "user": "who", "split": wrong})
