"""The static part of the conformance of an adapter: what it declares fits what it does.

It needs neither the courier's stand-in nor a database.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couriers.conf import tunables
from couriers.contract.action_rules import capability_of, rule_for, rules_of
from couriers.contract.actions import ActionKind
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.errors import InvalidRequest, NotSupported
from couriers.contract.plugin_problems import adapter_problems
from couriers.contract.statuses import TERMINAL, UNSETTLED, Status, StatusKey
from couriers.contract.types import Direction
from couriers.testing.accounts import detached_account
from couriers.testing.properties import inherited, json_values
from couriers.testing.samples import SampleCalls

HOST = re.compile(r"(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+")
CONSIGNEE_FIELDS = {"phone", "address", "name"}
RULE_FIELDS = {*CONSIGNEE_FIELDS, "instructions"}
# Statuses that only the platform gives.
OURS_ALONE = {*UNSETTLED, Status.FAILED}


class AdapterDeclarations(SampleCalls):
    """Tests of an adapter's class. A plug-in sets `adapter_class` and `published_statuses`.

    `published_statuses` are all that the courier's own document lists, as keys of a StatusMapper:
    a word, or (direction, type, word, code).
    """

    published_statuses: ClassVar[Sequence[StatusKey]] = ()

    def adapter(self) -> BaseCourierAdapter:
        """Return an adapter of an account that is not stored, and whose courier is not there."""
        return self.adapter_class(detached_account(self.adapter_class))

    def test_the_class_is_made_of_what_it_declares(self) -> None:
        assert adapter_problems(self.adapter_class) == []

    def test_what_is_not_declared_raises_before_any_call(self) -> None:
        adapter = self.adapter()
        for capability in set(Capability) - self.adapter_class.capabilities:
            with pytest.raises(NotSupported) as caught:
                self.call(adapter, capability, "T1", "W1")
            assert caught.value.courier == self.adapter_class.code
            assert caught.value.operation == capability, "the error names another operation"

    def test_the_methods_take_the_arguments_of_the_contract(self) -> None:
        for capability in self.adapter_class.capabilities:
            wanted = inspect.signature(getattr(BaseCourierAdapter, capability)).parameters
            given = inspect.signature(getattr(self.adapter_class, capability)).parameters
            assert list(given) == list(wanted), f"{capability} takes {list(given)}"

    def test_every_published_status_is_mapped(self) -> None:
        for key in self.published_statuses:
            direction, kind, word, *code = key if isinstance(key, tuple) else ("", "", key)
            mapped = self.adapter_class.mapper.map(
                word, direction=direction, kind=kind, code=code[0] if code else ""
            )
            assert mapped.status is not None, f"not mapped: {key}"

    @inherited
    @given(st.text(), st.text(), st.text(), st.text())
    def test_any_words_can_be_mapped(self, word: str, kind: str, code: str, reason: str) -> None:
        mapper = self.adapter_class.mapper
        for direction in Direction:
            mapped = mapper.map(word, direction=direction, kind=kind, code=code, reason=reason)
            assert (mapped.courier_status, mapped.courier_reason) == (word, reason)

    def test_no_status_of_the_platform_alone_is_mapped_to(self) -> None:
        mapper = self.adapter_class.mapper
        for direction, kind, word, code in mapper.entries():
            found = mapper.map(word, direction=direction, kind=kind, code=code.rstrip("*"))
            assert found.status not in OURS_ALONE, f"{word}: {found.status} is the platform's own"

    def test_the_operations_have_limits(self) -> None:
        assert self.adapter_class.default_limits, "default_limits names every operation"

    def test_the_fields_of_the_login_are_declared(self) -> None:
        names = [one.name for one in self.adapter_class.login_fields]
        assert names, "login_fields: what a login consists of"
        assert len(set(names)) == len(names), "login_fields: a name stands twice"
        for name in names:
            assert re.fullmatch(r"[a-z][a-z0-9_]*", name), f"{name}: lower case, digits and _"
        identity = set(self.adapter_class.login_identity)
        assert identity, "login_identity: by what the courier knows whom to call back"
        assert identity <= set(names), f"login_identity: not of the login: {identity - set(names)}"

    @pytest.mark.parametrize("kind", ActionKind)
    def test_every_declared_action_has_its_rule_and_no_other_has(self, kind: ActionKind) -> None:
        adapter = self.adapter_class
        # A courier may have an operation for one direction alone, or one for both.
        directions: dict[Capability, list[Direction]] = {}
        for direction in Direction:
            directions.setdefault(capability_of(kind, direction), []).append(direction)
        for capability, taken in directions.items():
            rules = [one for one in taken if rule_for(adapter, kind, one)]
            if capability in adapter.capabilities:
                assert rules, f"{capability} has no rule of {kind} in action_rules"
            elif not adapter.capabilities & set(directions):
                assert kind not in adapter.action_rules, f"{kind}: a rule without {capability}"

    @pytest.mark.parametrize("kind", ActionKind)
    def test_every_action_rule_can_be_met(self, kind: ActionKind) -> None:
        for rule in rules_of(self.adapter_class, kind):
            assert rule.directions, "no direction"
            assert rule.statuses, "no status allows it"
            assert not rule.statuses & {*TERMINAL, *OURS_ALONE}, "a status that has ended"
            assert rule.fields <= RULE_FIELDS, f"unknown fields: {rule.fields - RULE_FIELDS}"
            assert rule.days is None or rule.days.first <= rule.days.last, "no day"
            assert rule.max_attempts is None or rule.max_attempts >= 1, "no attempt"
            if kind is ActionKind.ADDRESS:
                assert rule.fields & CONSIGNEE_FIELDS, "`fields` says what can be changed"

    def test_a_batch_has_a_size(self) -> None:
        many = Capability.TRACK_SHIPMENTS in self.adapter_class.capabilities
        assert many or self.adapter_class.track_size == 1, "track_size without track_shipments"

    def test_a_create_call_ends_before_its_lease(self) -> None:
        longest = self.adapter_class.max_create_seconds()
        assert 0 < longest < tunables().BOOKING_LEASE, "max_create_seconds: less than BOOKING_LEASE"

    def test_documents_come_from_named_hosts(self) -> None:
        adapter = self.adapter_class
        for host in (*adapter.document_hosts, *adapter.test_hosts, *adapter.live_hosts):
            assert HOST.fullmatch(host), f"{host}: a host's name, or `*.` and a domain"

    @inherited
    @given(st.dictionaries(st.text(max_size=20), json_values, max_size=4))
    def test_options_are_returned_or_refused_by_name(self, options: dict[str, Any]) -> None:
        # One adapter for all examples: most of the time would go into making them.
        self.detached = getattr(self, "detached", None) or self.adapter()
        try:
            self.detached.validate_options(options)
        except InvalidRequest as error:
            fields = {problem.field for problem in error.problems}
            assert fields, "InvalidRequest without a field"
            assert all(one.split(".")[0] == "options" for one in fields), f"{fields}: options.…"

    def test_the_samples_own_request_passes_the_check(self) -> None:
        adapter = self.adapter()
        adapter.validate_options(self.options)
        adapter.check_request(self.booking_request())
        if Capability.CREATE_REVERSE_SHIPMENT in self.adapter_class.capabilities:
            adapter.check_request(self.return_request())

    def test_no_repr_shows_the_login(self) -> None:
        adapter = self.adapter()
        shown = [repr(adapter), *(repr(part) for part in _parts_of(adapter))]
        for name, value in adapter.account.login.items():
            assert not any(value in text for text in shown), f"a repr shows {name}"


def _parts_of(adapter: BaseCourierAdapter) -> Iterable[Any]:
    """Yield the objects that an adapter is made of, without its account."""
    return (part for part in vars(adapter).values() if part is not adapter.account)
