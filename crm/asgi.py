"""The web entry: live events go to a small async app, everything else to Django in a fixed pool of threads.

A WSGI pool keeps one database connection per thread, and is several times quicker than Django's own ASGI handler.
"""

import os

from a2wsgi import WSGIMiddleware

from crm.wsgi import application as django_application

from crm.notify.live import LiveEvents  # isort: skip (needs the applications that crm.wsgi has loaded)
from crm.web.warming import warm  # isort: skip

THREADS = int(os.environ.get("CRM_WEB_THREADS", "8"))


class Dispatcher:
    """Chooses the app by path."""

    def __init__(self) -> None:
        self.live = LiveEvents()
        self.pages = WSGIMiddleware(django_application, workers=THREADS)

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http" and scope["path"] == "/live/":
            await self.live(scope, receive, send)
        else:
            await self.pages(scope, receive, send)

    @staticmethod
    async def _lifespan(receive, send) -> None:
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


warm()
application = Dispatcher()
