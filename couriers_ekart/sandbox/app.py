"""The sandbox's HTTP face: Ekart's paths, and /_sandbox/ for those who test with it."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from couriers_ekart.sandbox import validation
from couriers_ekart.sandbox.books import Booked, Books, Webhook
from couriers_ekart.sandbox.callbacks import Callbacks
from couriers_ekart.sandbox.faults import Fault, Faults
from couriers_ekart.sandbox.lifecycle import LifeCycles, Shares
from couriers_ekart.sandbox.validation import Refused

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Options:
    """How the sandbox behaves. `pace` is seconds a step."""

    client_id: str = "sandbox"
    username: str = "sandbox"
    password: str = "sandbox"  # noqa: S105 - the stand-in's, known to all
    pace: float = 0.2
    hold: bool = False
    record: bool = False
    faults: tuple[Fault, ...] = ()
    seed: int = 0
    slow_seconds: float = 1.0
    shares: Shares = field(default_factory=Shares)


class Sandbox:
    """The application and what it holds."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.books = Books()
        self.callbacks = Callbacks(self.books)
        self.faults = Faults(options.faults, options.seed, options.slow_seconds)
        self.lives = LifeCycles(self.callbacks.tracked, options.shares, options.pace)

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._as_errors], client_max_size=5 * 1024 * 1024)
        app.add_routes(
            [
                self._route("POST", "/integrations/v2/auth/token/{client_id}", self.auth, "auth"),
                self._route("PUT", "/api/v1/package/create", self.create, "create_shipment"),
                self._route("DELETE", "/api/v1/package/cancel", self.cancel, "cancel_shipment"),
                self._route("GET", "/api/v1/track/{id}", self.track, "track"),
                self._route(
                    "GET", "/api/v2/serviceability/{pincode}", self.serviceability, "serviceability"
                ),
                self._route("POST", "/data/pricing/estimate", self.estimate, "estimate"),
                self._route("POST", "/api/v2/address", self.add_address, "add_address"),
                self._route("GET", "/api/v2/addresses", self.list_addresses, "list_addresses"),
                self._route("GET", "/api/v2/webhook", self.list_webhooks, "list_webhooks"),
                self._route("POST", "/api/v2/webhook", self.add_webhook, "add_webhook"),
                self._route("PUT", "/api/v2/webhook/{id}", self.edit_webhook, "edit_webhook"),
                web.get("/_sandbox/state", self.state),
                web.get("/_sandbox/shipments", self.shipments),
                web.get("/_sandbox/requests", self.requests),
                web.get("/_sandbox/faults", self.get_faults),
                web.put("/_sandbox/faults", self.put_faults),
                web.post("/_sandbox/advance", self.advance),
                web.post("/_sandbox/revoke-token", self.revoke_token),
                web.post("/_sandbox/forget-addresses", self.forget_addresses),
            ]
        )
        app.cleanup_ctx.append(self._background)
        return app

    async def _background(self, _: web.Application) -> Any:
        await self.callbacks.start()
        yield
        await self.callbacks.stop()

    def _route(self, method: str, path: str, handler: Handler, operation: str) -> web.RouteDef:
        open_to_all = operation in ("auth", "track")

        async def handle(request: web.Request) -> web.StreamResponse:
            self.books.calls[operation] += 1
            if self.options.record:
                await self._record(operation, request)
            return await self.faults.apply(operation, request, checked)

        async def checked(request: web.Request) -> web.StreamResponse:
            if not open_to_all:
                self._check_token(request)
            return await handler(request)

        return web.route(method, path, handle)

    @web.middleware
    async def _as_errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refusal:
            return _error(refusal.status, refusal.code, refusal.description)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            return _error(404, "PATH_NOT_IMPLEMENTED", "This path is not implemented")
        except ConnectionResetError:
            # The client died in the middle of its request: nothing is done, nobody listens.
            return web.Response(status=400)

    async def _record(self, operation: str, request: web.Request) -> None:
        raw = await request.read()
        body = json.loads(raw) if raw and operation != "auth" else None
        self.books.recorded.append(
            {
                "operation": operation,
                "method": request.method,
                "path": request.path,
                "query": dict(request.query),
                "body": body,
            }
        )

    def _check_token(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        known = f"Bearer {self.books.token}"
        if not self.books.token or not hmac.compare_digest(given.encode(), known.encode()):
            raise Refused("Invalid or expired token", status=401, code="SWIFT_UNAUTHORIZED")

    async def auth(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        options = self.options
        given = (request.match_info["client_id"], body.get("username"), body.get("password"))
        if given != (options.client_id, options.username, options.password):
            raise Refused("Invalid credentials", status=401, code="SWIFT_UNAUTHORIZED")
        token, seconds = self.books.hand_out_token()
        return web.json_response(
            {
                "access_token": token,
                "scope": "core:all",
                "expires_in": seconds,
                "token_type": "Bearer",
            }
        )

    async def create(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        validation.check_shipment(body, set(self.books.addresses))
        shipment = self.books.book(body)
        self.callbacks.created(shipment)
        if not self.options.hold:
            self.lives.start(shipment)
        return web.json_response(
            {
                "status": True,
                "remark": "Successfully created shipment",
                "tracking_id": shipment.tracking_id,
                "vendor": "EKART",
                "barcodes": {"wbn": shipment.wbn, "order": shipment.order_number},
            }
        )

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        tracking_id = request.query.get("tracking_id", "")
        shipment = self._find(tracking_id)
        done = self.lives.cancel(shipment)
        remark = "Successfully cancelled" if done else "Shipment is already cancelled"
        if not done and not any(s.status == "Cancelled" for s in shipment.steps):
            remark = f"Shipment is {shipment.status} and cannot be cancelled"
        return web.json_response(
            {"data": [{"status": done, "remark": remark, "tracking_id": tracking_id}]}
        )

    async def track(self, request: web.Request) -> web.StreamResponse:
        shipment = self._find(request.match_info["id"])
        details = [
            {
                "status": step.status,
                "ctime": step.ctime,
                "desc": step.desc,
                "location": step.location,
                **({"ndrStatus": step.ndr_status} if step.ndr_status else {}),
            }
            for step in shipment.steps
        ]
        latest = dict(details[-1])
        if "ndrStatus" in latest:
            latest["ndrActions"] = ["Re-Attempt", "RTO"]
        return web.json_response(
            {
                "_id": shipment.tracking_id,
                "order_number": shipment.order_number,
                "track": {**latest, "attempts": shipment.attempts, "details": details},
            }
        )

    async def serviceability(self, request: web.Request) -> web.StreamResponse:
        text = request.match_info["pincode"]
        validation.demand(text.isdigit() and len(text) == 6, "pincode must have six digits")
        # Pincodes that begin with 999 are nowhere, so that refusals can be tried.
        if text.startswith("999"):
            return web.json_response(
                {"status": False, "pincode": int(text), "remark": "Not serviceable"}
            )
        city, state = PLACES.get(text[0], ("MUMBAI", "MH"))
        return web.json_response(
            {
                "status": True,
                "pincode": int(text),
                "remark": "Serviceable",
                "details": {
                    "cod": True,
                    "max_cod_amount": 49999,
                    "forward_pickup": True,
                    "forward_drop": True,
                    "reverse_pickup": True,
                    "reverse_drop": True,
                    "city": city,
                    "state": state,
                },
            }
        )

    async def estimate(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        validation.check_estimate(body)
        kilos = max(1, -(-body["weight"] // 500)) / 2
        freight = kilos * (46 if body["serviceType"] == "SURFACE" else 71)
        cod = 35.0 if body.get("codAmount") else 0.0
        fuel = round(freight * 0.1, 2)
        taxes = round((freight + fuel + cod) * 0.18, 2)
        return web.json_response(
            {
                "type": "WEIGHT_BASED",
                "zone": "NATIONAL",
                "volumetricWeight": str(body["length"] * body["width"] * body["height"] / 5000),
                "billingWeight": str(kilos),
                "shippingCharge": f"{freight:.2f}",
                "rtoCharge": f"{freight * 0.9:.2f}",
                "fuelSurcharge": f"{fuel:.2f}",
                "codCharge": f"{cod:.2f}",
                "taxes": f"{taxes:.2f}",
                "total": f"{freight + fuel + cod + taxes:.2f}",
            }
        )

    async def add_address(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        validation.check_address(body)
        self.books.addresses[body["alias"]] = body
        return web.json_response(
            {"status": True, "alias": body["alias"], "remark": "Successfully added address"}
        )

    async def list_addresses(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(list(self.books.addresses.values()))

    async def list_webhooks(self, _: web.Request) -> web.StreamResponse:
        return web.json_response([w.as_json() for w in self.books.webhooks.values()])

    async def add_webhook(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        validation.check_webhook(body, whole=True)
        webhook = self.preset_webhook(body["url"], body["secret"], body["topics"])
        webhook.active = bool(body.get("active", True))
        return web.json_response(webhook.as_json())

    async def edit_webhook(self, request: web.Request) -> web.StreamResponse:
        webhook = self.books.webhooks.get(request.match_info["id"])
        if webhook is None:
            raise Refused(
                "Webhook does not exist.", status=404, code="SWIFT_RESOURCE_NOT_FOUND_EXCEPTION"
            )
        body = await _json(request)
        validation.check_webhook(body, whole=False)
        for name in ("url", "secret", "topics", "active"):
            if name in body:
                setattr(webhook, name, body[name])
        return web.json_response(webhook.as_json())

    def preset_webhook(self, url: str, secret: str, topics: list[str]) -> Webhook:
        """Register a callback."""
        webhook = Webhook(secrets.token_hex(12), url, secret, topics)
        self.books.webhooks[webhook.id] = webhook
        return webhook

    async def state(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(
            self.books.state()
            | {
                "callbacks": dict(self.callbacks.counts),
                "callbacks_pending": self.callbacks.pending,
                "faults": dict(self.faults.counts),
                "injected_unknown": self.faults.unknown,
            }
        )

    async def shipments(self, request: web.Request) -> web.StreamResponse:
        after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", 1000))
        booked = list(self.books.shipments.values())[after : after + limit]
        return web.json_response([shipment.summary() for shipment in booked])

    async def requests(self, request: web.Request) -> web.StreamResponse:
        after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", 1000))
        return web.json_response(self.books.recorded[after : after + limit])

    async def get_faults(self, _: web.Request) -> web.StreamResponse:
        return web.json_response([fault.as_json() for fault in self.faults.faults])

    async def put_faults(self, request: web.Request) -> web.StreamResponse:
        try:
            self.faults.faults = [Fault(**fault) for fault in json.loads(await request.read())]
        except (ValueError, TypeError) as error:
            raise Refused(str(error)) from None
        return await self.get_faults(request)

    async def advance(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        shipment = self._find(body.get("tracking_id", ""))
        self.lives.advance(shipment, body["status"])
        return web.json_response(shipment.summary())

    async def revoke_token(self, _: web.Request) -> web.StreamResponse:
        self.books.revoke_token()
        return web.json_response({})

    async def forget_addresses(self, _: web.Request) -> web.StreamResponse:
        self.books.addresses.clear()
        return web.json_response({})

    def _find(self, tracking_id: str) -> Booked:
        shipment = self.books.shipments.get(tracking_id)
        if shipment is None:
            raise Refused(
                f"{tracking_id[:50]} shipment does not exist.",
                status=404,
                code="SWIFT_RESOURCE_NOT_FOUND_EXCEPTION",
            )
        return shipment


# A city and a state code by the first digit of a pincode: enough for a stand-in.
PLACES = {
    "1": ("NEW DELHI", "DL"),
    "2": ("LUCKNOW", "UP"),
    "3": ("JAIPUR", "RJ"),
    "4": ("MUMBAI", "MH"),
    "5": ("BENGALURU", "KA"),
    "6": ("CHENNAI", "TN"),
    "7": ("KOLKATA", "WB"),
    "8": ("PATNA", "BR"),
}


async def _json(request: web.Request) -> Any:
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise Refused("The body is not JSON", code="SWIFT_MALFORMED_INPUT_EXCEPTION") from None
    validation.demand(isinstance(body, dict), "a JSON object is required")
    return body


def _error(status: int, code: str, description: str) -> web.Response:
    return web.json_response(
        {
            "statusCode": status,
            "code": code,
            "message": code,
            "description": description,
            "severity": "ERROR",
        },
        status=status,
    )
