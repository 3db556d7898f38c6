"""The web server for platforms that send their events to the bot over HTTP."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiohttp import web

from clearml_chatops.models.errors import SettingsError


@asynccontextmanager
async def run_web_server(routes: Iterable[web.RouteDef], *, host: str, port: int) -> AsyncIterator[None]:
    """Serve these routes inside the block; without routes no server is started.

    Requests in progress are answered before it stops.

    Raises:
        SettingsError: The address can't be used, or another program uses it.
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
                name="CHATOPS_HTTP_PORT", reason=f"can't listen on {host}:{port} ({error.strerror})."
            ) from error
        yield
    finally:
        await runner.cleanup()
