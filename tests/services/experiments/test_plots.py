"""/plot and /compare: which scalars are drawn, how they are summarized, how many requests it takes."""

import math

import pytest

from clearml_chatops.models.figures import Panel
from clearml_chatops.models.replies import Buttons, Fields, Picture, Reply, Table, Text
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.services.experiments.figure_renderer import FigureRenderer
from tests.support.program import RunningProgram, get_buttons, to_plain_text
from tests.support.scalars import SINGLE_VALUE, add_experiment, decode_png, get_picture, report_scalar


class RecordingRenderer:
    """Records each figure and renders it."""

    def __init__(self, renderer: FigureRenderer) -> None:
        self._renderer = renderer
        self.titles: list[str] = []
        self.panels: list[list[Panel]] = []

    async def render_curves(self, title: str, panels: list[Panel]) -> bytes:
        self.titles.append(title)
        self.panels.append(panels)
        return await self._renderer.render_curves(title, panels)

    @property
    def labels_by_panel(self) -> dict[str, list[str]]:
        """The line labels of the last figure, by panel title."""
        return {panel.title: [line.label for line in panel.lines] for panel in self.panels[-1]}


@pytest.fixture
def renderer(program: RunningProgram) -> RecordingRenderer:
    process = program.program.process
    recording = RecordingRenderer(process.figure_renderer)
    process.__dict__["figure_renderer"] = recording
    return recording


def _list_texts(reply: Reply) -> list[str]:
    return [block.text for block in reply.blocks if isinstance(block, Text)]


# ── /plot ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_run_is_plotted_and_summarized_with_two_requests(
    program: RunningProgram, renderer: RecordingRenderer
) -> None:
    baseline = add_demo_experiments(program.sandbox.state, alice=program.sandbox.alice, bob=program.sandbox.bob)
    program.sandbox.requests.clear()

    reply = await program.send(f"/plot {baseline['id']}")

    assert program.sandbox.requests.list_endpoints() == [
        "tasks.get_all_ex",
        "events.scalar_metrics_iter_histogram",
    ]
    picture = get_picture(reply)
    assert decode_png(picture.png).width <= 1280
    assert renderer.titles == ["baseline"]
    assert renderer.labels_by_panel == {"accuracy/validation": ["validation"], "loss": ["train", "validation"]}
    assert picture.name == f"plot-{baseline['id'][:8]}.png"
    assert picture.caption.splitlines()[1] == "loss/train: last 0.24242, lowest 0.24242, highest 2.26072"
    assert reply.experiment_id == baseline["id"]
    assert len(reply.blocks) == 1


@pytest.mark.parametrize(
    ("words", "panels"),
    [
        ("loss", {"Loss": ["train", "validation"]}),
        ("LOSS/TRAIN", {"Loss/train": ["train"]}),
        ("valid", {"Loss/validation": ["validation"], "accuracy/validation": ["validation"]}),
        ("acc train", {"accuracy/validation": ["validation"], "Loss/train": ["train"]}),
        ("loss loss/train", {"Loss": ["train", "validation"]}),
        (":monitor:gpu", {":monitor:gpu/gpu_0": ["gpu_0"]}),
        ("two$words", {"two$words/a b": ["a b"]}),
        ("'a B'", {"two$words/a b": ["a b"]}),
    ],
)
async def test_scalars_are_found_by_a_part_of_their_name_in_any_case(
    program: RunningProgram, renderer: RecordingRenderer, words: str, panels: dict[str, list[str]]
) -> None:
    task = add_experiment(program.sandbox, "baseline")
    for name in ("Loss/train", "Loss/validation", "accuracy/validation", ":monitor:gpu/gpu_0", "two$words/a b"):
        report_scalar(program.sandbox, task, name, [2, 1])

    await program.ask(f"/plot {task} {words}")

    assert renderer.labels_by_panel == panels


async def test_a_scalar_name_of_the_current_experiment_wins_over_an_experiment_name(
    program: RunningProgram, renderer: RecordingRenderer
) -> None:
    task = add_experiment(program.sandbox, "baseline")
    other = add_experiment(program.sandbox, "loss study")
    for experiment_id in (task, other):
        report_scalar(program.sandbox, experiment_id, "loss/train", [2, 1])
        report_scalar(program.sandbox, experiment_id, "accuracy/train", [2, 1])
    await program.ask(f"/use {task}")

    assert (await program.send("/plot loss")).experiment_id == task
    assert list(renderer.labels_by_panel) == ["loss/train"]
    assert (await program.send('/plot "loss study" acc')).experiment_id == other
    assert list(renderer.labels_by_panel) == ["accuracy/train"]
    assert (await program.send("/plot loss", experiment_id=other)).experiment_id == other


async def test_a_misspelt_scalar_is_refused_with_the_nearest_names(program: RunningProgram) -> None:
    task = add_experiment(program.sandbox, "baseline")
    report_scalar(program.sandbox, task, "accuracy/validation", [1])
    assert await program.send_for_error_code(f"/plot {task} lr") == "metric_not_found"
    text = to_plain_text(await program.send(f"/plot {task} acuracy"))
    assert text.startswith("“baseline” has reported no scalar “acuracy”. Did you mean accuracy")

    await program.ask(f"/use {task}")

    assert to_plain_text(await program.send("/plot acuracy")) == text
    assert await program.send_for_error_code("/plot nothing-like-it") == "experiment_not_found"


async def test_a_named_experiment_is_found_even_if_the_current_one_was_deleted(program: RunningProgram) -> None:
    task, deleted = add_experiment(program.sandbox, "baseline"), add_experiment(program.sandbox, "gone")
    report_scalar(program.sandbox, task, "loss/train", [1])
    await program.ask(f"/use {deleted}")
    del program.sandbox.state.tasks[deleted]

    assert (await program.send("/plot baseline")).experiment_id == task
    assert await program.send_for_error_code("/plot") == "experiment_not_found"


async def test_a_run_without_scalars_gets_one_sentence(program: RunningProgram) -> None:
    task = add_experiment(program.sandbox, "baseline")
    reply = await program.send(f"/plot {task}")
    assert reply.blocks == (Text("“baseline” hasn't reported any metrics."),)
    assert reply.experiment_id == task


async def test_six_panels_are_drawn_and_the_others_are_listed(
    program: RunningProgram, renderer: RecordingRenderer
) -> None:
    task = add_experiment(program.sandbox, "baseline")
    for number in range(20):
        report_scalar(program.sandbox, task, f"it's m{number:02}/a", [1, 2])
    report_scalar(program.sandbox, task, ":monitor:machine/cpu", [1, 2])

    reply = await program.send(f"/plot {task}")

    assert [title[:8] for title in renderer.labels_by_panel] == [f"it's m{number:02}" for number in range(6)]
    (rest,) = _list_texts(reply)
    assert rest.startswith("Not plotted: it's m06/a, it's m07/a")
    assert rest.endswith(f"it's m17/a and 3 more. Plot them with /plot {task[:8]} <name>.")

    for expected in (range(6, 12), range(12, 18)):
        reply = await program.send(get_buttons(reply)["Plot more"])
        assert [title[:8] for title in renderer.labels_by_panel] == [f"it's m{number:02}" for number in expected]
    reply = await program.send(get_buttons(reply)["Plot more"])
    assert [title[:8] for title in renderer.labels_by_panel] == ["it's m18", "it's m19", ":monitor"]
    assert not [block for block in reply.blocks if isinstance(block, Buttons)]


async def test_machine_metrics_are_drawn_only_if_there_are_no_others(
    program: RunningProgram, renderer: RecordingRenderer
) -> None:
    task = add_experiment(program.sandbox, "baseline")
    report_scalar(program.sandbox, task, ":monitor:gpu/gpu_0_temperature", [60, 61])
    await program.ask(f"/plot {task}")
    assert list(renderer.labels_by_panel) == [":monitor:gpu/gpu_0_temperature"]

    report_scalar(program.sandbox, task, "loss/train", [2, 1])
    assert _list_texts(await program.send(f"/plot {task}"))[0].startswith("Not plotted: :monitor:gpu.")
    assert list(renderer.labels_by_panel) == ["loss/train"]


async def test_a_long_curve_is_thinned_and_its_extremes_are_kept(
    program: RunningProgram, renderer: RecordingRenderer
) -> None:
    task = add_experiment(program.sandbox, "long")
    values = [1 / (step + 1) for step in range(10_000)]
    values[1234] = 77.5
    report_scalar(program.sandbox, task, "loss/train", values)

    picture = get_picture(await program.send(f"/plot {task}"))

    ((panel,),) = renderer.panels
    assert len(panel.lines[0].x) <= 1000
    assert panel.lines[0].x[-1] == 9999
    assert 77.5 not in panel.lines[0].y
    assert picture.caption == "loss/train: last 0.0001, lowest 0.0001, highest 77.5"


async def test_non_finite_values_are_reported(program: RunningProgram) -> None:
    task = add_experiment(program.sandbox, "diverged")
    report_scalar(program.sandbox, task, "loss/train", [math.nan, 0.5, 0.25, math.inf])
    report_scalar(program.sandbox, task, "loss/none", [math.nan, math.nan])
    report_scalar(program.sandbox, task, "loss/odd", [1, None, "NaN", "3", "x"])

    picture = get_picture(await program.send(f"/plot {task}"))

    assert picture.caption.splitlines() == [
        "loss/none: no finite values",
        "loss/odd: last not a number, lowest 1, highest 3",
        "loss/train: last infinite, lowest 0.25, highest 0.5",
    ]


async def test_single_values_are_shown_as_fields(program: RunningProgram, renderer: RecordingRenderer) -> None:
    task = add_experiment(program.sandbox, "baseline")
    report_scalar(program.sandbox, task, "Summary/best accuracy", [0.93], iterations=[SINGLE_VALUE])
    reply = await program.send(f"/plot {task}")
    assert reply.blocks == (Fields((("Summary/best accuracy", "0.93"),)),)
    assert not renderer.panels

    report_scalar(program.sandbox, task, "loss/train", [2, 1])
    reply = await program.send(f"/plot {task}")
    assert [type(block) for block in reply.blocks] == [Picture, Fields]
    assert [type(block) for block in (await program.send(f"/plot {task} best")).blocks] == [Fields]


async def test_a_caption_stays_within_the_platform_limit(program: RunningProgram) -> None:
    task = add_experiment(program.sandbox, "baseline")
    for number in range(50):
        report_scalar(program.sandbox, task, f"loss/variant {number:02} {'x' * 30}", [1, 2])

    caption = get_picture(await program.send(f"/plot {task}")).caption

    assert len(caption) <= 1024
    assert caption.splitlines()[-1] == f"… and {50 - (len(caption.splitlines()) - 1)} more"


# ── /compare ──────────────────────────────────────────────────────────────────────────────────────


async def test_experiments_are_compared_by_scalars_and_parameters(
    program: RunningProgram, renderer: RecordingRenderer
) -> None:
    one = add_experiment(program.sandbox, "one", lr="0.1", epochs="3", seed="1")
    two = add_experiment(program.sandbox, "two", lr="0.2", epochs="3")
    for task in (one, two):
        report_scalar(program.sandbox, task, "loss/train", [2, 1])
    report_scalar(program.sandbox, two, "accuracy/train", [0, 1])
    report_scalar(program.sandbox, one, ":monitor:gpu/use", [0, 1])
    program.sandbox.faults.delay("*", 0.2)
    program.sandbox.requests.clear()

    reply = await program.send(f"/compare {one} {two}")

    assert program.sandbox.requests.count_longest_sequence() == 2
    assert program.sandbox.requests.list_endpoints().count("events.multi_task_scalar_metrics_iter_histogram") == 1
    assert renderer.titles == ["2 experiments"]
    assert list(renderer.labels_by_panel.items()) == [("loss/train", ["one", "two"]), ("accuracy/train", ["two"])]
    assert get_picture(reply).caption.splitlines()[0] == "loss/train, one: last 1, lowest 1, highest 2"
    (table,) = (block for block in reply.blocks if isinstance(block, Table))
    assert table.columns == ("parameter", "one", "two")
    assert table.rows == (("Args/lr", "0.1", "0.2"), ("Args/seed", "1", "—"))
    assert _list_texts(reply) == ["Not plotted: :monitor:gpu/use. Plot them with /compare … metric=<name>."]


async def test_experiments_with_the_same_name_get_distinct_labels(
    program: RunningProgram, renderer: RecordingRenderer
) -> None:
    tasks = [add_experiment(program.sandbox, name) for name in ("same", "same", "other")]
    for task in tasks:
        report_scalar(program.sandbox, task, "loss/train", [2, 1])

    reply = await program.send(f"/compare {' '.join(tasks)} metric=loss,train")

    assert renderer.labels_by_panel == {"loss/train": [f"same {tasks[0][:8]}", f"same {tasks[1][:8]}", "other"]}
    assert _list_texts(reply) == ["Their parameters don't differ."]


async def test_experiments_without_scalars_are_compared_by_their_parameters(program: RunningProgram) -> None:
    tasks = [add_experiment(program.sandbox, "name", lr=lr) for lr in ("1", "2")]
    reply = await program.send(f"/compare {' '.join(tasks)}")
    assert _list_texts(reply) == ["None of them has reported any metrics."]
    assert [block.rows for block in reply.blocks if isinstance(block, Table)] == [(("Args/lr", "1", "2"),)]
    assert await program.send_for_error_code(f"/compare {' '.join(tasks)} metric=loss") == "metric_not_found"


async def test_only_two_to_six_different_experiments_can_be_compared(program: RunningProgram) -> None:
    tasks = [add_experiment(program.sandbox, f"run {number}") for number in range(7)]
    assert await program.send_for_error_code("/compare") == "usage"
    assert await program.send_for_error_code(f"/compare {tasks[0]}") == "invalid_value"
    assert await program.send_for_error_code(f"/compare {tasks[0]} {tasks[0]}") == "invalid_value"
    assert await program.send_for_error_code(f"/compare {' '.join(tasks)}") == "invalid_value"
    assert await program.send_for_error_code(f"/compare {tasks[0]} nowhere") == "experiment_not_found"
    assert await program.send_for_error_code(f"/compare {tasks[0]} run") == "ambiguous_experiment"
    await program.ask(f"/compare {' '.join(tasks[:6])}")


async def test_reading_scalars_is_retried_once(program: RunningProgram, sandbox: Sandbox) -> None:
    task = add_experiment(sandbox, "baseline")
    report_scalar(sandbox, task, "loss/train", [2, 1])
    sandbox.faults.disconnect("events.scalar_metrics_iter_histogram", times=1)
    await program.ask(f"/plot {task}")
