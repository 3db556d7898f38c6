"""The web server for platforms that call the bot, instead of being asked by it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiohttp import web

from clearml_chatops.models.errors import SettingsError


@asynccontextmanager
async def run_web_server(routes: Iterable[web.RouteDef], *, host: str, port: int) -> AsyncIterator[None]:
    """Answers these routes inside; without any, nothing listens.

    Requests that have begun are answered before it ends.

    Raises:
        SettingsError: nobody may listen at that address, or somebody does already.
    """
    routes = list(routes)
    if not routes:
        yield
        return
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise SettingsError(
                name="CHATOPS_HTTP_PORT", reason=f"the bot cannot listen on {host}:{port} ({error.strerror})."
            ) from error
        yield
    finally:
        await runner.cleanup()
