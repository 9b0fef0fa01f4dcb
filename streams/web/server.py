"""The live page as an aiohttp application's routes, with the reader that feeds it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from aiohttp import web

from schemas.command import Command
from schemas.config import Config
from schemas.reply import Reply
from schemas.web import WebSettings
from streams.engine import Engine
from streams.kafka.command_sender import NotSent
from streams.web import page_coverage, page_history, page_incident, pages
from streams.web.desk import Desk, Send, Visitor, sender
from streams.web.freshness import Freshness, freshness
from streams.web.guard import Handler, own_path, set_headers
from streams.web.live import Live
from streams.web.login import Login
from streams.web.pages import Scene, Values
from streams.web.reader import Reader
from streams.web.render import STATIC, Renderer
from streams.web.view import View
from streams.web.words import Clockface

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_YEAR = "public, max-age=31536000, immutable"
_FREE = ("/login", "/static/", "/metrics", "/healthz", "/readyz")


class Page:
    """`add_to` puts its routes into an application, `run` feeds it."""

    def __init__(
        self,
        config: Config,
        settings: WebSettings,
        token: str,
        *,
        send: Send | None = None,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self.view = View(config, settings)
        self.reader = Reader(settings, self.view, clock_us)
        self._config = config
        self._settings = settings
        self._clock_us = clock_us
        self._send = send
        self._renderer = Renderer()
        login = Login(token, settings.session_hours)
        self._desk = Desk(settings, login, self.view, self._carry, clock_us)
        self._live = Live(self.view, lambda: self._fresh(Clockface(config, clock_us())))

    async def run(self, config: Config, engine: Engine, stopping: asyncio.Event) -> None:
        """Read and send, until `stopping` is set: as a companion of the worker, or alone.

        `config` has the broker's address, embedded ones too. Nothing that fails here is raised.
        """
        self._send = self._send or sender(config, self.view.incidents)
        reading = asyncio.create_task(self.reader.run(config))
        await stopping.wait()
        reading.cancel()
        await asyncio.wait([reading])

    def add_to(self, app: web.Application) -> None:
        """All routes; `/metrics`, `/healthz` and `/readyz` are left to the worker."""
        app.middlewares.append(self._guard)
        app.on_response_prepare.append(set_headers)
        route = app.router
        route.add_get("/", self._shown("now", lambda scene, _: pages.now_page(scene)))
        route.add_get("/incidents/{incident}", self._incident)
        route.add_post("/incidents/{incident}/act", self._desk.act)
        route.add_get("/models/{name}", self._named("model", pages.model_page))
        route.add_get("/sites/{name}", self._named("site", pages.site_page))
        route.add_get(
            "/history",
            self._shown("history", lambda scene, ask: page_history.history_page(scene, ask.query)),
        )
        route.add_get("/history.json", self._export("application/json", page_history.as_json))
        route.add_get("/history.csv", self._export("text/csv", page_history.as_csv))
        route.add_get(
            "/coverage",
            self._shown("coverage", lambda scene, _: page_coverage.coverage_page(scene)),
        )
        route.add_get("/live", self._live.stream, allow_head=False)
        route.add_get("/login", self._login_form)
        route.add_post("/login", self._log_in)
        route.add_post("/logout", self._desk.log_out)
        route.add_get("/static/{name}", _static)

    def scene(self, visitor: Visitor | None) -> Scene:
        """What a page is made from, now."""
        clock = Clockface(self._config, self._clock_us())
        viewer = visitor.actor if visitor else None
        return Scene(self._config, self._settings, self.view, clock, self._fresh(clock), viewer)

    async def _carry(self, wanted: Command) -> Reply | None:
        if self._send is None:
            raise NotSent("the broker has not been reached yet")
        return await self._send(wanted)

    def _fresh(self, clock: Clockface) -> Freshness:
        return freshness(self._config, self.reader.reading, self.view.proof(), clock)

    def _shown(self, template: str, values: Callable[[Scene, web.Request], Values]) -> Handler:
        async def show(request: web.Request) -> web.Response:
            visitor = self._desk.visitor(request)
            scene = self.scene(visitor)
            return self._answer(request, template, scene, visitor, values(scene, request))

        return show

    def _named(self, template: str, values: Callable[[Scene, str], Values | None]) -> Handler:
        async def show(request: web.Request) -> web.Response:
            visitor = self._desk.visitor(request)
            scene = self.scene(visitor)
            found = values(scene, request.match_info["name"])
            if found is None:
                raise web.HTTPNotFound(text=f"There is no {template} of that name.")
            found = {"scope": template} | found
            return self._answer(request, "scope", scene, visitor, found)

        return show

    async def _incident(self, request: web.Request) -> web.Response:
        visitor = self._desk.visitor(request)
        scene = self.scene(visitor)
        told = request.query.get("told")
        found = page_incident.incident_page(scene, request.match_info["incident"], told)
        if found is None:
            raise web.HTTPNotFound(
                text="There is no such incident, or it is older than the page looks back."
            )
        return self._answer(request, "incident", scene, visitor, found)

    def _export(self, kind: str, write: Callable[[Any], bytes]) -> Handler:
        async def export(request: web.Request) -> web.Response:
            found = page_history.find(self.scene(None), request.query)
            name = request.path.removeprefix("/")
            headers = {"Content-Disposition": f'attachment; filename="radvigil-{name}"'}
            return web.Response(
                body=write(found), content_type=kind, charset="utf-8", headers=headers
            )

        return export

    async def _login_form(self, request: web.Request) -> web.Response:
        return self._login_page(request, None)

    async def _log_in(self, request: web.Request) -> web.Response:
        return self._login_page(request, await self._desk.log_in(request), HTTPStatus.FORBIDDEN)

    def _login_page(
        self, request: web.Request, wrong: str | None, status: int = HTTPStatus.OK
    ) -> web.Response:
        values = {"wrong": wrong, "next": own_path(request.query.get("next", "/"))}
        return self._answer(request, "login", self.scene(None), None, values, status)

    def _answer(
        self,
        request: web.Request,
        template: str,
        scene: Scene,
        visitor: Visitor | None,
        values: Mapping[str, Any],
        status: int = HTTPStatus.OK,
    ) -> web.Response:
        body = self._renderer.page(
            f"{template}.html",
            scene=scene,
            clock=scene.clock,
            fresh=scene.fresh,
            viewer=scene.viewer,
            version=self.view.version,
            form_token=self._desk.form_token(visitor),
            path=request.path,
            path_qs=request.path_qs,
            query_string=request.query_string,
            page=template,
            **values,
        )
        answer = web.Response(body=body, status=status, content_type="text/html", charset="utf-8")
        answer.enable_compression()
        return answer

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Who may read at all; and errors in the words of the page."""
        is_free = self._settings.public or request.path.startswith(_FREE)
        if not is_free and self._desk.visitor(request) is None:
            if request.method != "GET" or request.path == "/live":
                return web.Response(status=HTTPStatus.FORBIDDEN, text="Log in first.")
            raise web.HTTPSeeOther(f"/login?next={quote(request.path_qs, safe='')}")
        try:
            return await handler(request)
        except web.HTTPError as error:
            values = {"status": error.status, "told": error.text or error.reason}
            visitor = self._desk.visitor(request)
            scene = self.scene(visitor)
            return self._answer(request, "message", scene, visitor, values, error.status)


async def _static(request: web.Request) -> web.Response:
    """A file of ours, by its name in the folder and nothing else."""
    names = {path.name: path for path in STATIC.iterdir() if path.suffix in _TYPES}
    found = names.get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound(text="There is no such file.")
    answer = web.Response(
        body=found.read_bytes(),
        content_type=_TYPES[found.suffix],
        charset="utf-8",
        headers={"Cache-Control": _YEAR},
    )
    answer.enable_compression()
    return answer
