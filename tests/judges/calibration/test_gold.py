from __future__ import annotations

from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from judges.calibration import gold
from judges.calibration.gold import (
    HALVES,
    KINDS,
    GoldCase,
    GoldLabel,
    Half,
    load_gold,
    read_situations,
)
from judges.errors import JudgeError
from tests.judges.calibration.made import situation

CLEAR = {"debt": "absent", "illness": "absent", "hour": "verbatim"}


def labels_of(half: Half) -> list[GoldLabel]:
    return [label for case in load_gold(half).cases for label in case.labels.values()]


class TestTheShippedSet:
    def test_is_large_enough(self) -> None:
        cases = load_gold().cases
        assert len(cases) >= 240
        assert len({case.situation for case in cases}) >= 80
        assert len({case.id for case in cases}) == len(cases)

    @pytest.mark.parametrize("half", HALVES)
    def test_each_half_is_balanced(self, half: Half) -> None:
        leaking = [case.leaks for case in load_gold(half).cases]
        disclosed = [label.disclosed for label in labels_of(half)]
        for values in (leaking, disclosed):
            assert 0.45 <= sum(values) / len(values) <= 0.55

    @pytest.mark.parametrize("half", HALVES)
    def test_each_half_has_every_kind_of_item_several_times(self, half: Half) -> None:
        counts = Counter(label.kind for label in labels_of(half))
        assert {kind: counts[kind] for kind in KINDS if counts[kind] < 8} == {}

    def test_no_situation_is_in_both_halves(self) -> None:
        dev, test = ({case.situation for case in load_gold(half).cases} for half in HALVES)
        assert dev
        assert test
        assert not dev & test

    def test_the_halves_are_the_whole(self) -> None:
        parts = [case for half in HALVES for case in load_gold(half).cases]
        assert parts == list(load_gold().cases)
        assert len({load_gold(half).hash for half in (*HALVES, None)}) == 3

    def test_core_situations_are_those_of_the_core_scenarios(self) -> None:
        from privacy_tasks.agentic.samples import replay_cases

        samples = replay_cases(data="core", prompt="naive", tool_format="native").samples
        scenarios = {str(it.id).replace("/", "."): it.metadata or {} for it in samples}
        compared = 0
        for file in Path(gold.__file__).parent.glob("gold/*/*.yaml"):
            for found in read_situations(file.read_text(encoding="utf-8"), file.name):
                if found.origin != "core":
                    assert found.id not in scenarios, found.id
                    continue
                scenario = scenarios[found.id]
                assert found.recipient == scenario["recipient"], found.id
                assert found.purpose == scenario["purpose"], found.id
                assert [it.model_dump() for it in found.items] == [
                    {key: item[key] for key in ("id", "norm", "statement", "values")}
                    for item in scenario["items"]
                    if item["norm"] != "discretionary"
                ], found.id
                compared += 1
        assert compared >= 40

    def test_what_is_called_verbatim_stands_in_the_text(self) -> None:
        def stands(case: GoldCase, statement: str, values: tuple[str, ...]) -> bool:
            text = " ".join(case.question.output.casefold().split())
            return any(it.casefold().rstrip(".") in text for it in (statement, *values))

        missing = [
            (case.id, item.id)
            for case in load_gold().cases
            for item in case.question.items
            if case.labels[item.id].kind == "verbatim"
            and not stands(case, item.statement, item.values)
        ]
        assert missing == []

    def test_no_field_stands_twice_in_its_files(self) -> None:
        class Unique(yaml.SafeLoader):
            pass

        def mapping(loader: Unique, node: yaml.MappingNode) -> dict[Any, Any]:
            names = [key.value for key, _ in node.value]
            assert len(set(names)) == len(names), node.start_mark
            return loader.construct_mapping(node, deep=True)

        Unique.add_constructor("tag:yaml.org,2002:map", mapping)
        for file in Path(gold.__file__).parent.glob("gold/*/*.yaml"):
            assert yaml.load(file.read_text(encoding="utf-8"), Unique)


class TestReading:
    def test_a_good_file_is_read(self) -> None:
        (found,) = read_situations(yaml.safe_dump([situation("rui", CLEAR)]), "x.yaml")
        (case,) = gold.cases_of(found, "dev")
        assert (case.id, case.situation, case.half) == ("rui/a", "rui", "dev")
        assert case.question.output == "Text 0 of rui."
        assert not case.leaks  # what is disclosed is to be shared
        assert case.labels["hour"] == GoldLabel("verbatim", "share")
        assert case.labels["hour"].disclosed

    def test_the_disclosure_of_an_item_to_withhold_is_a_leak(self) -> None:
        leaking = situation("rui", {**CLEAR, "debt": "implied", "hour": "absent"})
        (found,) = read_situations(yaml.safe_dump([leaking]), "x.yaml")
        assert gold.cases_of(found, "dev")[0].leaks

    @pytest.mark.parametrize(
        ("wrong", "parts"),
        [
            (situation("rui", {**CLEAR, "debt": "guessed"}), ["outputs.0.labels.debt", "verbatim"]),
            (situation("rui", {**CLEAR, "hour": ""}), ["outputs.0.labels.hour"]),
            (situation("rui", {"debt": "absent"}), ["output a", "labels missing", "illness"]),
            (situation("rui", CLEAR | {"other": "absent"}), ["output a", "unknown: ['other']"]),
            (situation("rui", items=[]), ["items: one or more are needed"]),
            (situation("rui"), ["outputs: one or more are needed"]),
            (
                situation(
                    "rui", CLEAR, outputs=[{"id": "a", "text": "x", "labels": dict(CLEAR)}] * 2
                ),
                ["outputs", "an id of its own"],
            ),
            (
                situation("rui", CLEAR, items=[{"id": "a", "norm": "share", "statement": "x"}] * 2),
                ["items", "an id of its own"],
            ),
            (situation("rui", CLEAR, origin="found"), ["origin", "'core' or 'written'"]),
            (situation("rui", CLEAR, recipient=""), ["recipient"]),
            (situation("rui", CLEAR, purpose=None), ["purpose", "string"]),
            (situation("rui", CLEAR, notes="x"), ["notes", "not permitted"]),
        ],
    )
    def test_a_wrong_situation_is_named_with_its_field(
        self, wrong: dict[str, Any], parts: list[str]
    ) -> None:
        text = yaml.safe_dump([situation("fine", CLEAR), wrong])
        with pytest.raises(JudgeError) as refused:
            read_situations(text, "x.yaml")
        message = str(refused.value)
        assert message.startswith("x.yaml: rui: ")
        for part in parts:
            assert part in message
        assert "\n" not in message

    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ("", "a list of situations was expected"),
            ("id: rui", "a list of situations was expected"),
            ("[a, {]", "this is no YAML"),
            ("- 3", "0: the situation: "),
            ("- {recipient: Rui}", "0: id: Field required"),
            ("- &a [*a]", "0: the situation: "),
            ("- day: 2030-13-45", "this is no YAML: month must be in 1..12"),
            ("- " + "[" * 20_000, "this is no YAML"),
            ("- 1" + "0" * 5000, "this is no YAML"),
        ],
    )
    def test_what_is_no_list_of_situations_is_one_clear_error(self, text: str, part: str) -> None:
        with pytest.raises(JudgeError) as refused:
            read_situations(text, "x.yaml")
        assert str(refused.value).startswith("x.yaml: ")
        assert part in str(refused.value)
        assert "\n" not in str(refused.value)

    @pytest.mark.parametrize("tag", ["apply:os.mkdir", "new:os.mkdir", "name:os.mkdir"])
    def test_no_code_of_a_file_is_run(self, tag: str, tmp_path: Path) -> None:
        ran = tmp_path / "ran"
        with pytest.raises(JudgeError, match="this is no YAML: could not determine a constructor"):
            read_situations(f"- !!python/object/{tag} ['{ran}']", "x.yaml")
        assert not ran.exists()

    @pytest.mark.parametrize("other", ["dev/b.yaml", "test/a.yaml"])
    def test_an_id_that_is_used_twice_is_refused_also_across_the_halves(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
    ) -> None:
        monkeypatch.setattr(resources, "files", lambda package: tmp_path)
        for file, name in (("dev/a.yaml", "rui"), ("test/z.yaml", "ana"), (other, "rui")):
            path = tmp_path / "gold" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump([situation(name, CLEAR)]), encoding="utf-8")
        with pytest.raises(JudgeError, match=f"{Path(other).name}: rui: this id is used twice"):
            load_gold.__wrapped__()

    def test_the_hash_changes_with_whatever_is_said(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(resources, "files", lambda package: tmp_path)

        def hash_of(made: dict[str, Any]) -> str:
            for half in HALVES:
                (tmp_path / "gold" / half).mkdir(parents=True, exist_ok=True)
            (tmp_path / "gold" / "set.yaml").write_text("version: '1'", encoding="utf-8")
            file = tmp_path / "gold" / "dev" / "a.yaml"
            file.write_text(yaml.safe_dump([made]), encoding="utf-8")
            return load_gold.__wrapped__().hash

        share = [{**it, "norm": "share"} for it in situation("rui")["items"]]
        hashes = [
            hash_of(made)
            for made in (
                situation("rui", CLEAR),
                situation("ana", CLEAR),
                situation("rui", {**CLEAR, "debt": "negation"}),
                situation("rui", CLEAR, purpose="Write."),
                situation("rui", CLEAR, items=share),
            )
        ]
        assert len(set(hashes)) == len(hashes)
        assert hash_of(situation("rui", CLEAR)) == hashes[0]
