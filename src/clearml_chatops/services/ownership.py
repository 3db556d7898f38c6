"""Whose an experiment is. ClearML lets any user change any other's; the bot does not."""

from clearml_chatops.models.errors import NotYoursError
from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.people import Person, Role
from clearml_chatops.services.clearml_gateway import ClearML


async def require_own(clearml: ClearML, person: Person, experiment: Experiment) -> None:
    """Raises NotYoursError where the experiment is another person's and this one is no admin.

    Where the bot cannot act for its people, what it clones for them is its own on the server; that is
    everybody's, or nobody could change his own clone.
    """
    if person.role >= Role.ADMIN or not person.clearml_user_id or not experiment.user_id:
        return
    if experiment.user_id == person.clearml_user_id:
        return
    bot = await clearml.identity()
    if bot.is_admin or experiment.user_id != bot.user_id:
        raise NotYoursError(name=experiment.name, owner=experiment.user_name or "another person")
