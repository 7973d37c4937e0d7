"""What a comparison says, as tables: the tasks, the benchmarks, and how it was measured."""

from __future__ import annotations

from collections.abc import Iterator

from harness_adapters.collapse.comparison import (
    Arm,
    BenchmarkComparison,
    Comparison,
    TaskComparison,
)
from harness_adapters.collapse.report.table import Table
from harness_adapters.collapse.report.wording import (
    OUTCOMES,
    UNKNOWN,
    by_arm,
    change,
    count,
    hundredths,
    line,
    margin,
    p_value,
    points,
    rate,
    signed,
)


def task_table(comparison: Comparison) -> Table:
    """What each task says of each tuned arm."""
    return Table(
        "Privacy tasks: what changed",
        ("Task", "Metric", "Base", "Tuned", "Difference", "Relative change", "Holm p", "Outcome"),
        tuple(
            (
                _name(comparison, task.label, task.tuned),
                f"{line(task.first.metric)}\n{_pairs(task)}",
                rate(task.first.base),
                rate(task.first.tuned),
                points(task.first.difference),
                change(task.relative_change),
                p_value(task.p_holm),
                OUTCOMES[task.outcome],
            )
            for task in comparison.tasks
        ),
    )


def certainty_table(comparison: Comparison) -> Table:
    """What to hold against those figures."""
    return Table(
        "Privacy tasks: how sure that is",
        (
            "Task",
            "Worse / better (McNemar)",
            "p of the difference",
            "Judge-corrected difference",
            "Unscored",
            "If all unscored were worst",
            "Power",
            "Spread of runs beyond sampling",
        ),
        tuple(
            (
                _name(comparison, task.label, task.tuned),
                _mcnemar(task),
                p_value(task.p),
                _corrected(task),
                _unscored(task),
                _bounds(task),
                _power(task),
                _spread(task),
            )
            for task in comparison.tasks
        ),
    )


def metric_table(comparison: Comparison) -> Table:
    """Every metric of every task."""
    return Table(
        "All metrics of the privacy tasks",
        ("Task", "Metric", "Base", "Tuned", "Difference", "Better", "Scenarios"),
        tuple(
            (
                _name(comparison, task.label, task.tuned),
                line(metric.metric),
                rate(metric.base),
                rate(metric.tuned),
                points(metric.difference),
                _better(metric.higher_is_better),
                count(metric.scenarios),
            )
            for task in comparison.tasks
            for metric in task.metrics
        ),
    )


def benchmark_table(comparison: Comparison) -> Table:
    """What each standard benchmark says of each tuned arm."""
    return Table(
        "Utility and safety benchmarks",
        (
            "Benchmark",
            "Kind",
            "Base",
            "Tuned",
            "Difference (95 %)",
            "90 % interval, ε",
            "p worse / p better",
            "Outcome",
            "Samples",
        ),
        tuple(
            (
                _name(comparison, bench.task, bench.tuned),
                f"{bench.kind}\n{line(bench.metric)}, {_better(bench.higher_is_better)} is better",
                rate(bench.base_mean),
                rate(bench.tuned_mean),
                points(bench.difference),
                f"{_narrow(bench)}\nε = {margin(bench.margin)}",
                f"{p_value(bench.p_worse)} / {p_value(bench.p_better)}",
                bench.outcome,
                _samples(bench),
            )
            for bench in comparison.benchmarks
        ),
    )


def parameter_table(comparison: Comparison) -> Table:
    """What the whole comparison was made with."""
    return Table(
        "Parameters",
        ("Parameter", "Value"),
        (
            ("privacy-tasks", line(comparison.version)),
            ("τ, the fall of privacy that counts", margin(comparison.threshold)),
            ("ε, the move of a benchmark that counts", margin(comparison.margin)),
            ("seed of the bootstrap", str(comparison.seed)),
            ("resamples", count(comparison.resamples)),
        ),
    )


def arm_table(comparison: Comparison) -> Table:
    """Which models and logs each arm is."""
    return Table(
        "Models and logs",
        ("Arm", "Models", "Harnesses", "Logs"),
        tuple(_arm(arm, role) for arm, role in _arms(comparison)),
    )


def provenance_table(comparison: Comparison) -> Table:
    """What each task was run with."""
    return Table(
        "Data, prompts and judges",
        ("Task", "Scenarios", "Data", "Prompts", "Judge", "Settings", "Runs and epochs", "Samples"),
        tuple(
            (
                "\n".join((_name(comparison, task.label, task.tuned), _kind(task))),
                _scenarios(task),
                _pairs_of(task.data),
                line(task.prompt),
                line(task.judge),
                _pairs_of(task.settings) or "defaults",
                _runs(task),
                by_arm({arm: count(number) for arm, number in task.samples.items()}, task.base),
            )
            for task in comparison.tasks
        ),
    )


def warnings(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    """What to know of single tasks and benchmarks: whose, and a sentence."""
    of_tasks = [
        (_name(comparison, task.label, task.tuned), line(warning))
        for task in comparison.tasks
        for warning in task.warnings
    ]
    of_benchmarks = [
        (_name(comparison, bench.task, bench.tuned), line(warning))
        for bench in comparison.benchmarks
        for warning in bench.warnings
    ]
    return tuple((name.replace("\n", ", "), warning) for name, warning in of_tasks + of_benchmarks)


def _name(comparison: Comparison, name: str, tuned: str) -> str:
    """A task or benchmark, and the tuned arm where there are several."""
    return line(name) if len(comparison.tuned) == 1 else f"{line(name)}\n{line(tuned)}"


def _kind(task: TaskComparison) -> str:
    return f"{line(task.task)}, {line(task.mode)}"


def _pairs(task: TaskComparison) -> str:
    return f"{count(task.pairs)} paired scenarios"


def _better(higher_is_better: bool | None) -> str:
    if higher_is_better is None:
        return "neither"
    return "higher" if higher_is_better else "lower"


def _mcnemar(task: TaskComparison) -> str:
    if task.mcnemar is None:
        return UNKNOWN
    test = task.mcnemar
    return f"{count(test.worse)} worse, {count(test.better)} better\np = {p_value(test.p)}".replace(
        "= <", "<"
    )


def _corrected(task: TaskComparison) -> str:
    if task.corrected is not None:
        return points(task.corrected)
    return f"not corrected: {line(task.uncorrected)}" if task.uncorrected else UNKNOWN


def _unscored(task: TaskComparison) -> str:
    return by_arm({arm: _reasons(task, arm) for arm in task.samples}, task.base)


def _reasons(task: TaskComparison, arm: str) -> str:
    reasons = {reason: n for reason, n in task.unscored.get(arm, {}).items() if n}
    if not reasons:
        return "none"
    listed = ", ".join(f"{line(reason)} {count(n)}" for reason, n in reasons.items())
    return f"{count(sum(reasons.values()))} of {count(task.samples[arm])} ({listed})"


def _bounds(task: TaskComparison) -> str:
    if task.bounds is None:
        return UNKNOWN
    return f"{signed(task.bounds.least)} to {signed(task.bounds.most)} points"


def _power(task: TaskComparison) -> str:
    power = task.power
    sees = (
        "what could be seen is not known"
        if power.detectable is None
        else f"sees a difference of {hundredths(power.detectable)} points"
    )
    if power.scenarios_needed is None:
        return sees
    return f"{sees}\n{margin(power.asked)} need {count(power.scenarios_needed)} scenarios"


def _spread(task: TaskComparison) -> str:
    if not task.seeds:
        return UNKNOWN
    return by_arm(
        {
            arm: "one run" if spread is None else f"SD {hundredths(spread)} points"
            for arm, spread in task.seeds.items()
        },
        task.base,
    )


def _narrow(bench: BenchmarkComparison) -> str:
    narrow = bench.narrow
    return f"[{signed(narrow.lower)}, {signed(narrow.upper)}]"


def _samples(bench: BenchmarkComparison) -> str:
    lines = [f"{count(bench.scenarios)} in both"]
    lines += [
        f"{'base' if arm == bench.base else 'tuned'}: {count(n)} left out"
        for arm, n in bench.left_out.items()
        if n
    ]
    if bench.needed is not None:
        lines.append(f"{count(bench.needed)} needed to show ±ε")
    return "\n".join(lines)


def _arms(comparison: Comparison) -> Iterator[tuple[Arm, str]]:
    yield comparison.base, "base"
    for arm in comparison.tuned:
        yield arm, "tuned"


def _arm(arm: Arm, role: str) -> tuple[str, ...]:
    return (
        f"{line(arm.name)}\n{role}",
        "\n".join(map(line, arm.models)) or UNKNOWN,
        "\n".join(map(line, arm.harnesses)) or UNKNOWN,
        "\n".join(map(line, arm.logs)) or UNKNOWN,
    )


def _scenarios(task: TaskComparison) -> str:
    lines = [f"{count(task.scenarios)} in both, {count(task.clusters)} clusters"]
    lines += [
        f"{'base' if arm == task.base else 'tuned'}: {count(n)} unpaired"
        for arm, n in task.unpaired.items()
        if n
    ]
    return "\n".join(lines)


def _pairs_of(values: dict[str, str]) -> str:
    return "\n".join(f"{line(name)}: {line(value)}" for name, value in values.items())


def _runs(task: TaskComparison) -> str:
    return by_arm(
        {arm: f"{count(n)} × {count(task.epochs.get(arm, 1))}" for arm, n in task.runs.items()},
        task.base,
    )
