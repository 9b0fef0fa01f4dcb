"""Where people log in and act. Every act is a command in the log, with the name of who did it."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiohttp import web

from schemas.command import Command
from schemas.config import Config
from schemas.reply import Reply
from schemas.web import WebSettings
from streams.clock import from_us
from streams.delivery.trouble import is_about_receiver
from streams.kafka.command_sender import CommandSender, NotSent
from streams.web.guard import check_form, own_path
from streams.web.login import Login, good_name
from streams.web.view import View
from streams.web.view_incidents import Incidents
from streams.web.writes import Asked, NotUnderstood, command

log = logging.getLogger("radvigil.web")
COOKIE = "radvigil"
REPLY_S = 4.0
Send = Callable[[Command], Awaitable[Reply | None]]


class Visitor(NamedTuple):
    """Who asks; `session` is what forms are made for."""

    actor: str
    session: str


class Desk:
    """Login, logout and the acts on incidents."""

    def __init__(
        self,
        settings: WebSettings,
        login: Login,
        view: View,
        send: Send,
        clock_us: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._login = login
        self._view = view
        self._send = send
        self._clock_us = clock_us

    def visitor(self, request: web.Request) -> Visitor | None:
        """Who is logged in: by the proxy's word where that is configured, else by cookie."""
        if self._settings.actor_header is not None:
            actor = good_name(request.headers.get(self._settings.actor_header, ""))
            if actor is not None:
                return Visitor(actor, f"proxy {actor}")
        cookie = request.cookies.get(COOKIE, "")
        actor = self._login.actor(cookie, self._clock_us() / 1e6)
        return None if actor is None else Visitor(actor, cookie)

    def form_token(self, visitor: Visitor | None) -> str:
        """What the forms of this visitor carry."""
        return "" if visitor is None else self._login.form_token(visitor.session)

    async def log_in(self, request: web.Request) -> str | None:
        """Take the login form: what is wrong with it, or raises the way on."""
        check_form(request)
        form = await _form(request)
        now_s = self._clock_us() / 1e6
        if self._login.is_locked(now_s):
            return "Too many wrong tokens. Wait a minute."
        if good_name(form.get("name", "")) is None:
            return "Say who you are, in at most 64 characters."
        cookie = self._login.open(form["name"], form.get("token", ""), now_s)
        if cookie is None:
            log.warning("a login with a wrong token")
            return "That is not the token."
        response = web.HTTPSeeOther(own_path(form.get("next", "/")))
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=round(self._settings.session_hours * 3600),
            httponly=True,
            samesite="Lax",  # a link from a message must find its reader logged in
            secure=_is_https(request),
            path="/",
        )
        raise response

    async def log_out(self, request: web.Request) -> web.Response:
        """Forget the cookie."""
        await self._signed_form(request)
        response = web.HTTPSeeOther("/")
        response.del_cookie(COOKIE, path="/")
        raise response

    async def act(self, request: web.Request) -> web.Response:
        """Send a command about an incident and go back to it, with its reply if that was quick."""
        visitor, form = await self._signed_form(request)
        incident = request.match_info["incident"]
        episode = self._view.incidents.get(incident)
        if episode is None:
            raise web.HTTPNotFound(text="There is no such incident.")
        asked = Asked(visitor.actor, form, str(uuid.uuid4()), from_us(self._clock_us()))
        try:
            wanted = command(episode.last, asked)
        except NotUnderstood as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        try:
            reply = await self._send(wanted)
        except NotSent as error:
            log.warning("a command was not sent: %s", error)
            raise web.HTTPServiceUnavailable(
                text="The broker did not take it. Nothing was done; try again."
            ) from None
        self._view.take(wanted)
        if reply is not None:
            self._view.take(reply)
            await self._shown(incident, reply)
        raise web.HTTPSeeOther(f"/incidents/{incident}?told={wanted.command_id}#told")

    async def _shown(self, incident: str, reply: Reply) -> None:
        """Wait until the reader has the transition that was replied, so that it is seen at once."""
        for _ in range(20):
            episode = self._view.incidents.get(incident)
            if not reply.accepted or episode is None or episode.last.seq >= (reply.seq or 0):
                return
            await asyncio.sleep(0.1)

    async def _signed_form(self, request: web.Request) -> tuple[Visitor, dict[str, str]]:
        check_form(request)
        visitor = self.visitor(request)
        if visitor is None:
            raise web.HTTPForbidden(text="Log in first: what you do is kept with your name.")
        form = await _form(request)
        if not self._login.is_form_token(visitor.session, form.get("form_token", "")):
            raise web.HTTPForbidden(text="This form is out of date. Go back, reload, try again.")
        return visitor, form


def sender(config: Config, incidents: Incidents) -> Send:
    """Sends to the broker and waits a moment for the reply; raises NotSent."""

    async def send(wanted: Command) -> Reply | None:
        episode = incidents.get(wanted.incident or "")
        of_delivery = episode is not None and is_about_receiver(episode.last)
        async with CommandSender(config, wanted.site, of_delivery=of_delivery) as sending:
            await sending.send(wanted)
            return await sending.reply(wanted.command_id, REPLY_S)

    return send


async def _form(request: web.Request) -> dict[str, str]:
    """What our own forms send; a form of another kind is none of ours."""
    if request.content_type != "application/x-www-form-urlencoded":
        return {}
    posted = await request.post()
    return {name: value for name, value in posted.items() if isinstance(value, str)}


def _is_https(request: web.Request) -> bool:
    return request.secure or request.headers.get("X-Forwarded-Proto") == "https"
