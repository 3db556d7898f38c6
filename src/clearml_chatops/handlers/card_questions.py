"""How it reads when somebody is asked for his cards: the question, what is open, and what was answered."""

from collections.abc import Sequence

from clearml_chatops.handlers.claims import cards_of_claims, claim_sentence
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.wording import ago
from clearml_chatops.handlers.worker_lines import WorkerLine
from clearml_chatops.models.card_questions import CardQuestion, CardRequest, Consent
from clearml_chatops.models.replies import Button, Buttons, Fields, Reply, Text, Tone
from clearml_chatops.models.workers import MidRun, WorkerOrder
from clearml_chatops.services.workers.card_claims import CardClaim


async def asked_reply(
    context: Context,
    claims: tuple[CardClaim, ...],
    order: WorkerOrder,
    line: WorkerLine,
    *,
    restarts: str | None = None,
    mid_run: MidRun | None = None,
) -> Reply:
    """Asks all who have the cards, and says so."""
    cards = cards_of_claims(claims)
    request = CardRequest(
        asker_id=context.person.id,
        asker_name=context.person.name,
        conversation=context.message.conversation,
        cards=cards,
        line=str(line),
        order=order,
        restarts=restarts,
        mid_run=mid_run,
    )

    def text(his: Sequence[CardClaim]) -> str:
        said = " ".join(f"{claim_sentence(context, claim)}." for claim in his)
        return f"{context.person.name} asks you for {cards}. {said}"

    questions = await context.services.card_questions.ask(request, claims, context.person, text=text)
    names = " and ".join(item.asked_name for item in questions)
    return Reply.of(
        Text(f"{names} is asked for {cards} and has a day to answer. You are told here what comes of it."),
        Text("Nothing is started yet.", Tone.QUIET),
        Buttons((_taking_back(questions[0]),)),
    )


def open_questions_reply(context: Context, questions: Sequence[CardQuestion]) -> Reply:
    """What waits for this person's answer, and what he has asked himself."""
    if not questions:
        return Reply.of("No question about cards is open: you are asked for none, and have asked for none.")
    rows = tuple(_row(context, item) for item in questions)
    buttons = [
        button
        for item in questions
        for button in ([_taking_back(item)] if item.request.asker_id == context.person.id else _answering(item))
    ]
    return Reply.of(Text("Open questions about cards", Tone.HEADING), Fields(rows), Buttons(tuple(buttons)))


def answered_reply(context: Context, question: CardQuestion, answer: Consent) -> Reply:
    """What the answer leads to."""
    request = question.request
    if answer is Consent.SHARE:
        text = f"{request.asker_name} is told, and has {request.cards} beside you."
    elif answer is Consent.HAND_OVER:
        workers = " and ".join(question.worker_ids)
        text = f"{workers} takes nothing more, and when it has ended {request.asker_name} gets {request.cards}."
    elif context.person.id == request.asker_id:
        text = f"You ask for {request.cards} no more. Nothing was started."
    else:
        text = f"{request.asker_name} is told: not now. Nothing was changed."
    return Reply.of(Text(text, Tone.SUCCESS))


def _row(context: Context, question: CardQuestion) -> tuple[str, str]:
    request, asked = question.request, ago(question.noted, context.clock())
    if request.asker_id == context.person.id:
        agreed = "agreed; waits for others to agree or for a run to end"
        state = "not answered yet" if question.answer is None else agreed
        return (f"{request.cards} of {question.asked_name}", f"you asked {asked}: {state}")
    return (f"{request.cards} for {request.asker_name}", f"you were asked {asked}")


def _answering(question: CardQuestion) -> tuple[Button, ...]:
    line, name = f"/worker consent {question.token}", question.request.asker_name
    hand_over = [Button("Hand it over after my run", f"{line} {Consent.HAND_OVER}")] if question.worker_ids else []
    share, refuse = Button(f"Let {name} share it", f"{line} {Consent.SHARE}"), Button("Not now", f"{line} no")
    return (share, *hand_over, refuse)


def _taking_back(question: CardQuestion) -> Button:
    return Button("Take the question back", f"/worker consent {question.token} {Consent.REFUSE}")
