"""A form and a refusal for the tests of modals."""

from clearml_chatops.models.replies import Form, FormField, Outcome, Reply, Text, Tone
from tests.frontends.conftest import FakeBot

PARAMETERS_FORM = Form(
    "Parameters of baseline",
    "/set e1",
    (
        FormField("args.lr", "lr", "0.1", group="Args", hint="a number"),
        FormField("args.gpus", "gpus", "2", group="Args", changed=True),
        FormField("general.seed", "seed", "", group="General"),
    ),
)
REFUSED_REPLY = Reply((Text("lr: “x” isn't a number.", Tone.FAILURE),), Outcome.REFUSED)


def build_form_bot() -> FakeBot:
    """Return a bot that answers `/set` with the form."""
    return FakeBot(
        {
            "/set": Reply.of(PARAMETERS_FORM, experiment_id="e1"),
            "/set e1": Reply.of(PARAMETERS_FORM, experiment_id="e1"),
        }
    )
