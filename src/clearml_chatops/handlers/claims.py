"""How it reads who has the cards that somebody wants."""

from collections.abc import Sequence

from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.worker_lines import WorkerLine
from clearml_chatops.handlers.worker_list import named_cards, run_of
from clearml_chatops.models.replies import Button, Choice
from clearml_chatops.models.workers import ALL_GPUS
from clearml_chatops.services.workers.card_claims import CardClaim


async def claims_question(context: Context, claims: tuple[CardClaim, ...], line: WorkerLine) -> Choice:
    """Who has the cards, and what may be done about it: ask them, share, or take others."""
    said = "\n".join(f"{claim_sentence(context, claim)}." for claim in claims)
    options = []
    if asked := await context.services.card_questions.whom_to_ask(claims, context.person):
        names = " and ".join(person.name for person in asked)
        options.append(Button(f"Ask {names}", str(line.with_words("--ask"))))
    options.append(Button(f"Share {cards_of_claims(claims)}", str(line.with_words("--share"))))
    if instead := await _free_instead(context, line):
        options.append(Button(f"Take {named_cards(instead)} instead", str(line.with_options(gpus=instead))))
    return Choice(f"{said}\nNothing is started yet. What shall I do?", tuple(options))


def cards_of_claims(claims: Sequence[CardClaim]) -> str:
    """All the cards that they have: card 0, cards 0,1."""
    return named_cards(",".join(dict.fromkeys(card for claim in claims for card in claim.cards.split(","))))


def claim_sentence(context: Context, claim: CardClaim) -> str:
    """Who has some of the cards, and what runs on them, for whom and for how long."""
    named = named_cards(claim.cards)
    cards = named[0].upper() + named[1:]
    if claim.worker_id:
        of = f" of {claim.person}" if claim.person and claim.occupant is None else ""
        runs = f"runs {run_of(claim.run, context)}" if claim.run else "is idle"
        return f"{cards}: the worker {claim.worker_id}{of} {runs}"
    if claim.run:
        return f"{cards}: {run_of(claim.run, context)}"
    program = claim.occupant.program if claim.occupant else ""
    account = claim.occupant.account if claim.occupant else ""
    return f"{cards}: {program or 'a process'} of {account or 'somebody'}, without an agent"


async def _free_instead(context: Context, line: WorkerLine) -> str:
    """As many free cards as the order asks for, or those that there are."""
    free = await context.services.card_claims.free(await context.services.workers.wanted())
    wanted = line.options.get("gpus", "")
    number = 1 if wanted in {"", ALL_GPUS} else wanted.count(",") + 1
    return ",".join(free[:number])
