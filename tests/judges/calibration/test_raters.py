from __future__ import annotations

import codecs
import csv
import io
import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness_adapters.cli import main
from judges.calibration.gold import KINDS, load_gold
from judges.calibration.raters import alpha, compared, read_labels, sheet
from judges.errors import JudgeError
from judges.identity import content_hash
from tests.judges.calibration.made import gold_cases, gold_set

LEAK = ("verbatim", "absent", "verbatim")
GOLD = gold_set(*gold_cases("dev", ana=[LEAK, LEAK], rui=[("absent", "negation", "verbatim")]))
HEAD = "case,item,disclosed,rater\n"


def written(folder: Path, text: str, name: str = "labels.csv") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8", newline="")
    return file


class TestSheet:
    def test_has_a_row_for_each_item_and_what_a_rater_must_read(self) -> None:
        rows = list(csv.DictReader(io.StringIO(sheet(GOLD), newline="")))
        assert len(rows) == 9
        assert {
            "case": content_hash("ana/b")[:10],
            "item": "debt",
            "disclosed": "",
            "rater": "",
            "statement": "The debt.",
            "recipient": "Rui",
            "asked": "Write to Rui.",
            "output": "Text 1 of ana.",
        } in rows

    def test_of_the_shipped_cases_holds_all_of_them_and_no_label(self) -> None:
        gold = load_gold()
        rows = list(csv.DictReader(io.StringIO(sheet(gold), newline="")))
        names = {content_hash(case.id)[:10]: case for case in gold.cases}
        assert len(names) == len(gold.cases)
        assert sorted((row["case"], row["item"]) for row in rows) == sorted(
            (name, item.id) for name, case in names.items() for item in case.question.items
        )
        assert {row["disclosed"] + row["rater"] for row in rows} == {""}
        outputs = {name: case.question.output for name, case in names.items()}
        assert all(row["output"] == outputs[row["case"]] for row in rows)
        read = {"case", "item", "disclosed", "rater", "statement", "recipient", "asked", "output"}
        assert set(rows[0]) == read  # and so neither kind, norm nor half
        assert not {row["case"] for row in rows} & set(KINDS)
        # in the files those that leak come first
        leaks = [names[row["case"]].leaks for row in rows]
        assert 0.4 < sum(leaks[: len(leaks) // 2]) / (len(leaks) // 2) < 0.6


class TestReading:
    @pytest.mark.parametrize("start", ["", "\ufeff"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_labels_are_read_whatever_the_line_end_and_columns(
        self, tmp_path: Path, start: str, end: str
    ) -> None:
        lines = [
            "case,note,rater,disclosed,item",
            'ana/a,x, Ana ,1,debt,"beyond the last column"',
            'ana/b,"two\nlines",Ana, 0 ,hour',
            "ana/a,,Ben,1,debt",
            "ana/a,,Ben,,hour",
            "short",
            "",
        ]
        labels = read_labels([written(tmp_path, start + end.join(lines))], GOLD)
        assert labels.by_rater == {
            "Ana": {("ana/a", "debt"): True, ("ana/b", "hour"): False},
            "Ben": {("ana/a", "debt"): True},
        }

    def test_a_rater_may_fill_several_files(self, tmp_path: Path) -> None:
        one = written(tmp_path, f"{HEAD}ana/a,debt,1,7\n", "one.csv")
        other = written(tmp_path, f"{HEAD}ana/a,hour,0,7\n", "other.csv")
        assert len(read_labels([one, other], GOLD).by_rater["7"]) == 2
        with pytest.raises(JudgeError, match=r"one\.csv, line 2: 7 labelled ana/a debt before"):
            read_labels([one, one], GOLD)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "labels.csv: the column case is missing ("),
            ("case,item,rater\n", "labels.csv: the column disclosed is missing ("),
            ("case;item;disclosed;rater\n", "labels.csv: the column case is missing ("),
            ("item,disclosed,rater\ndebt,1,Ana\n", "labels.csv: the column case is missing ("),
            (
                f"{HEAD}ana/a,debt,1,Ana\nana/a,hour,yes,Ana\n",
                "labels.csv, line 3: disclosed='yes'; 1, 0 or nothing was expected.",
            ),
            (f"{HEAD}ana/a,debt,2,Ana\n", "line 2: disclosed='2'"),
            (f"{HEAD}ana/z,debt,1,Ana\n", "line 2: there is no item 'debt' in a case 'ana/z'."),
            (f"{HEAD}ana/a,hat,1,Ana\n", "line 2: there is no item 'hat' in a case 'ana/a'."),
            (
                "disclosed,rater,item,case\n1,Ana\n",
                "line 2: there is no item '' in a case ''.",
            ),
            (f"{HEAD}ana/a,debt,1,\n", "line 2: rater=''; a name or number was expected."),
            (f"{HEAD}ana/a,debt,1\n", "line 2: rater=''"),
            (f"{HEAD}ana/a,debt,1,gold\n", "line 2: rater='gold'"),
            (
                f"{HEAD}ana/a,debt,1,Ana\nana/a,debt,1, Ana\n",
                "labels.csv, line 3: Ana labelled ana/a debt before.",
            ),
            (HEAD, "There is not one label: the column disclosed is empty everywhere."),
            (f"{HEAD}ana/a,debt,,Ana\n", "There is not one label"),
            (
                f"{HEAD}ana/a,debt,,{'x' * 200_000}\n",
                "labels.csv, line 2: this is no CSV: field larger than field limit",
            ),
        ],
    )
    def test_what_is_wrong_is_named_with_its_line(
        self, tmp_path: Path, text: str, message: str
    ) -> None:
        with pytest.raises(JudgeError) as refused:
            read_labels([written(tmp_path, text)], GOLD)
        assert message in str(refused.value)

    @pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
    def test_another_encoding_is_one_error(self, tmp_path: Path, encoding: str) -> None:
        file = tmp_path / "labels.csv"
        file.write_text(f"{HEAD}ana/a,debt,1,Zoë\n", encoding=encoding)
        with pytest.raises(JudgeError, match=r"labels\.csv cannot be read: 'utf-8' codec"):
            read_labels([file], GOLD)

    def test_a_missing_file_and_a_folder_are_one_error(self, tmp_path: Path) -> None:
        for place in (tmp_path / "gone.csv", tmp_path):
            with pytest.raises(JudgeError, match="cannot be read"):
                read_labels([place], GOLD)


class TestAgreement:
    # gold:  ana/a 1 0 1   ana/b 1 0 1   rui/a 0 0 1
    ANA = "ana/a debt 1, ana/a illness 0, ana/a hour 1, rui/a debt 1, rui/a illness 0"
    BEN = "ana/a debt 1, ana/a illness 1, ana/b hour 1, rui/a debt 0, rui/a illness 0"

    def labels(self, folder: Path) -> Path:
        rows = [
            f"{row.replace(' ', ',')},{rater}"
            for rater, told in (("Ana", self.ANA), ("Ben", self.BEN))
            for row in told.split(", ")
        ]
        return written(folder, HEAD + "\n".join(rows))

    def test_kappas_and_alpha_are_those_by_hand(self, tmp_path: Path) -> None:
        labels = read_labels([self.labels(tmp_path)], GOLD)
        found = {(it.one, it.other): it for it in compared(labels, GOLD)}
        assert list(found) == [("Ana", "gold"), ("Ben", "gold"), ("Ana", "Ben")]
        ana, ben, both = found.values()
        # Ana says yes to 3 of 5 and gold to 2; one differs: (0.8 - 0.48) / (1 - 0.48)
        assert (ana.items, ana.same) == (5, 4)
        assert ana.kappa is not None
        assert ana.kappa.value == pytest.approx(0.32 / 0.52)
        # Ben the same
        assert (ben.items, ben.same) == (5, 4)
        assert ben.kappa is not None
        assert ben.kappa.value == pytest.approx(0.32 / 0.52)
        # on four items both, two yes each, and two differ: as by chance
        assert (both.items, both.same) == (4, 2)
        assert both.kappa is not None
        assert both.kappa.value == pytest.approx(0)
        # eight values of four units, four yes and four no: 1 - (2/4) / (2·4·4 / (8·7))
        together = alpha(labels, GOLD)
        assert together is not None
        assert together.value == pytest.approx(1 - 0.5 / (4 / 7))

    def test_one_rater_agrees_with_nobody(self, tmp_path: Path) -> None:
        labels = read_labels([written(tmp_path, f"{HEAD}ana/a,debt,1,Ana\n")], GOLD)
        assert alpha(labels, GOLD) is None
        (only,) = compared(labels, GOLD)
        assert (only.items, only.same, only.kappa) == (1, 1, None)

    def test_raters_without_a_common_item_have_no_kappa(self, tmp_path: Path) -> None:
        text = f"{HEAD}ana/a,debt,1,Ana\nana/b,debt,1,Ben\n"
        labels = read_labels([written(tmp_path, text)], GOLD)
        assert [(it.items, it.kappa) for it in compared(labels, GOLD)][2] == (0, None)


class TestCommands:
    def call(self, *arguments: str | Path) -> Result:
        return CliRunner().invoke(main, ["judge", *map(str, arguments)])

    def test_a_sheet_that_was_filled_in_is_compared(self, tmp_path: Path) -> None:
        file = tmp_path / "sheet.csv"
        done = self.call("sheet", "--half", "dev", "-o", file, "--json")
        assert done.exit_code == 0, done.output
        gold = load_gold("dev")
        rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline="")))
        assert file.read_bytes().startswith(codecs.BOM_UTF8)  # for spreadsheets
        names = {content_hash(case.id)[:10]: case.id for case in gold.cases}
        assert json.loads(done.stdout) == {"file": str(file), "rows": len(rows)}
        true = {(c.id, i): label.disclosed for c in gold.cases for i, label in c.labels.items()}
        draw = random.Random(3)
        filled = []
        for rater, wrong in (("[red]Ana", 0.0), ("Ben", 0.1)):
            for row in rows:
                answer = true[names[row["case"]], row["item"]] != (draw.random() < wrong)
                filled.append({**row, "disclosed": str(int(answer)), "rater": rater})
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]))
            writer.writeheader()
            writer.writerows(filled)
        done = self.call("raters", file, "--json")
        assert done.exit_code == 0, done.output
        found = json.loads(done.stdout)
        ana, ben, both = found["pairs"]
        assert (ana["one"], ana["other"], ana["items"]) == ("[red]Ana", "gold", len(rows))
        assert ana["kappa"]["value"] == 1
        assert ana["same"] == len(rows)
        assert 0.7 < ben["kappa"]["lower"] < ben["kappa"]["value"] < ben["kappa"]["upper"] < 0.9
        assert both["kappa"] == ben["kappa"]
        assert found["alpha"]["value"] == pytest.approx(ben["kappa"]["value"], abs=0.01)
        shown = self.call("raters", file)
        assert shown.exit_code == 0
        assert "[red]Ana" in shown.stdout
        assert f"{ben['kappa']['value']:.3f} [" in shown.stdout
        assert "Krippendorff's α of all raters: 0." in shown.stdout

    def test_a_sheet_takes_no_other_files_place(self, tmp_path: Path) -> None:
        file = written(tmp_path, "mine")
        done = self.call("sheet", "-o", file)
        assert done.exit_code == 1
        assert "exists already, and may hold labels" in done.stderr
        assert file.read_text() == "mine"

    def test_what_cannot_be_read_or_written_is_one_error(self, tmp_path: Path) -> None:
        wrong = written(tmp_path, "case\n")
        for arguments, code, message in (
            (("sheet", "-o", tmp_path / "gone" / "x.csv"), 1, "cannot be written: No such file"),
            (("raters", wrong), 1, "Error: labels.csv: the column item is missing ("),
            (("raters", tmp_path / "gone.csv"), 2, "does not exist"),
            (("raters",), 2, "Missing argument"),
        ):
            done = self.call(*arguments)
            assert done.exit_code == code, done.output
            assert message in " ".join(done.stderr.split())
            assert "Traceback" not in done.output
