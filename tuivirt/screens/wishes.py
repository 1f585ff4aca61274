"""From a key, a menu or a word to a run of an action: the form and the question in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from textual.screen import Screen

from tuivirt.actions import lookups
from tuivirt.actions.catalog import find_action, for_kind
from tuivirt.actions.errors import TuivirtError
from tuivirt.actions.registry import Action
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.task import Task
from tuivirt.widgets.menu import Menu
from tuivirt.widgets.text import plain

from . import menu_groups
from .drafts import AGAIN, Drafts
from .kind_choice import TITLES, menu_of_kinds, refusals_of
from .rooms import ROOMS
from .telling import joined

if TYPE_CHECKING:
    from tuivirt.backend.model.console import ConsoleSession


BY_FORM = frozenset({"host-edit", "snapshot-create", "checkpoint-create", "backup-begin"})
"""Actions that do nothing unless something is said, or of which much can be said."""


class Actor(Protocol):
    """The app, as far as wishes need it."""

    fleet: Fleet
    sessions: list[ConsoleSession]

    def say(self, text: str, severity: str = "information") -> None: ...

    def go(self, command: str) -> None: ...

    def submit(self, action: Action, ref: Ref, name: str, values: Mapping[str, Any]) -> Task:
        """Hand it to the tasks' runner. Raises TuivirtError."""

    def show_view(self, action: Action, ref: Ref, values: Mapping[str, Any]) -> None:
        """Run an action that shows something."""

    def ask(self, dialog: Screen[Any], then: Callable[[Any], None]) -> None:
        """Show a dialog; ``then`` gets its answer."""

    def look_up(
        self,
        screen: Screen[Any],
        host: str,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        then: Callable[[Any], None],
    ) -> None:
        """Ask a host; ``then`` gets the answer, or a TuivirtError, while the screen exists."""

    def front_targets(self) -> tuple[Ref, ...]: ...

    def key_of(self, action: Action) -> str:
        """Its keys as they are now, by the operator's settings."""


class Target:
    """An object that a wish is about, with its name and why it cannot be."""

    def __init__(self, fleet: Fleet, action: Action, ref: Ref) -> None:
        self.ref = ref
        self.thing = fleet.find(ref)
        self.name = str(getattr(self.thing, "name", ref.key))
        if action.new:
            self.refusal = ""
        elif self.thing is None:
            self.refusal = f"it is not on {ref.host} any more"
        else:
            self.refusal = action.refusal(self.thing, fleet.hosts.get(ref.host))

    def now(self, fleet: Fleet, action: Action) -> Target:
        """The same object as it is by now, under the name by which it was asked about.

        One that got another name meanwhile is refused: what was said yes to may by now be the
        name of another. So is one that would lose other things than were told.
        """
        now = Target(fleet, action, self.ref)
        if action.new:
            return now
        if now.thing is not None and now.name != self.name:
            now.refusal = f"it is called {now.name} by now"
        elif not now.refusal and action.losses(now.thing) != action.losses(self.thing):
            now.refusal = "what goes with it has changed meanwhile; ask again"
        now.name = self.name
        return now


class Wishes:
    """Asks what has to be asked and then submits."""

    def __init__(self, app: Actor) -> None:
        self._app = app
        self._drafts = Drafts()

    def act(
        self, name: str, refs: Sequence[Ref], values: Mapping[str, Any], *, form: bool = False
    ) -> None:
        """Wish for an action on some objects; ``form`` asks for its options in any case."""
        action = find_action(name)
        assert action is not None, name
        targets = self._fit(action, refs)
        if not targets:
            return
        missing = [p for p in action.parameters if p.required and p.name not in values]
        if action.view and not missing and not (form and action.changes):
            # What only shows something has its own choices on its own screen.
            self._app.show_view(action, targets[0].ref, values)
            return
        fields = [p for p in action.parameters if not p.cli_only and p.name not in values]
        # One option alone is not worth a form: the question's ``o`` opens it. A plan asks itself.
        decides = action.destructive and len(fields) > 1
        form = form or action.name in BY_FORM
        if missing or decides or (fields and (form or values)):
            self._fill_in(action, targets, values)
        elif (action.confirm and (fields or not action.plan)) or self._ends(action, targets):
            self._confirm(action, targets, values)
        else:
            self._submit(action, targets, values)

    def act_by_name(self, name: str, refs: Sequence[Ref]) -> bool:
        """Wish for what was typed after ``:``; False when there is no such action."""
        if find_action(name) is None:
            return False
        self.act(name, refs, {}, form=True)
        return True

    def names(self) -> list[str]:
        """The actions that fit what is under the cursor."""
        kinds = {ref.kind for ref in self._app.front_targets()}
        names = [action.name for kind in sorted(kinds) for action in for_kind(kind)]
        return [*names, *(action.name for action in for_kind(Kind.HOST) if action.new)]

    def menu(self, refs: Sequence[Ref]) -> None:
        """All that can be done to these objects, and why the rest cannot."""
        from tuivirt.widgets.menu import Menu

        if not refs:
            self._app.say("nothing is chosen", "warning")
            return
        title = f"Actions for {self._describe(refs)}"
        self._app.ask(Menu(title, self._choices(refs)), lambda name: self._chosen(name, refs))

    def palette(self) -> None:
        """Everything by name: rooms, and actions on what is chosen."""
        from tuivirt.widgets.menu import Choice, Menu

        refs = self._app.front_targets()
        choices = self._choices(refs) if refs else []
        choices += [
            Choice(f":{r.word}", f"Go to {r.word}", f":{r.word}", "", r.help) for r in ROOMS
        ]
        self._app.ask(
            Menu("Everything", choices, search=True), lambda name: self._chosen(name, refs)
        )

    def _chosen(self, name: str | None, refs: Sequence[Ref]) -> None:
        if name is None:
            return
        if name.startswith(":"):
            self._app.go(name[1:])
        elif name in menu_groups.TITLES:
            choices = self._choices(refs, name)
            menu = menu_groups.menu_of(name, choices, self._describe(refs))
            self._app.ask(menu, lambda chosen: self._chosen(chosen, refs))
        elif name in TITLES:
            menu = menu_of_kinds(name, self._describe(refs))
            self._app.ask(menu, lambda chosen: self._chosen(chosen, refs))
            if name == "attach":
                self._app.look_up(
                    menu,
                    refs[0].host,
                    lookups.kinds_lacking,
                    (refs[0].key,),
                    lambda answer: self._lacking(menu, answer),
                )
        else:
            self.act(name, refs, {}, form=True)

    def _lacking(self, menu: Menu, answer: Mapping[str, str] | TuivirtError) -> None:
        if isinstance(answer, TuivirtError):
            self._app.say(joined(answer), "warning")
        else:
            menu.refuse(refusals_of(answer))

    def _choices(self, refs: Sequence[Ref], group: str = "") -> list[Any]:
        """``group``: those that it has in a menu of its own, in place of all others."""
        from tuivirt.widgets.menu import Choice

        choices = []
        for action in menu_groups.actions_of(refs[0].kind):
            if menu_groups.group_of(action.name) != group:
                continue
            refusals = [Target(self._app.fleet, action, ref).refusal for ref in refs]
            refusal = refusals[0] if all(refusals) else ""
            if len(refs) > 1 and not action.bulk and not action.new:
                refusal = "for one at a time"
            choices.append(Choice(action.name, action.title, self._app.key_of(action), refusal))
        if not group:
            of_one = next((choice.refusal for choice in choices if choice.id == "attach-disk"), "")
            menus = {**menu_groups.titles_of(refs[0].kind)}
            if refs[0].kind is Kind.DOMAIN:
                menus |= TITLES
            many = menu_groups.FOR_MANY if len(refs) > 1 else ()
            choices += [
                Choice(name, said, "", "" if name in many else of_one)
                for name, said in menus.items()
            ]
        return choices

    def _fit(self, action: Action, refs: Sequence[Ref]) -> list[Target]:
        """The objects it can be done to; those left out, and why, are said."""
        if action.new:
            return [Target(self._app.fleet, action, Ref("", action.object, ""))]
        of_kind = [Target(self._app.fleet, action, r) for r in refs if r.kind is action.object]
        if not of_kind:
            self._app.say(f"{action.title}: no {action.object} is chosen here", "warning")
            return []
        if len(of_kind) > 1 and not action.bulk:
            self._app.say(f"{action.title}: for one {action.object} at a time", "warning")
            return []
        return self._able(action, of_kind)

    def _able(self, action: Action, targets: Sequence[Target]) -> list[Target]:
        able = [target for target in targets if not target.refusal]
        refused = [target for target in targets if target.refusal]
        if refused:
            first = f"{action.title}: not {refused[0].name}: {refused[0].refusal}"
            more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
            self._app.say(first + more, "warning")
        return able

    def _describe(self, refs: Sequence[Ref]) -> str:
        if len(refs) > 1:
            return f"{len(refs)} {refs[0].kind}s"
        return str(getattr(self._app.fleet.find(refs[0]), "name", refs[0].key))

    def _questions(self, action: Action, targets: Sequence[Target]) -> list[str]:
        """What is asked: the objects by name first, then what is common to them, said once."""
        many = self._app.fleet.several and action.object is not Kind.HOST
        if action.new:
            return []
        if len(targets) == 1:
            where = f"On host {targets[0].ref.host}." if many else ""
            begun = self._begun(action, targets)
            return [text for text in (action.question(targets[0].thing), where, *begun) if text]

        def names(some: Sequence[Target]) -> str:
            return ", ".join(plain(t.name) + (f" @{t.ref.host}" if many else "") for t in some)

        asked = [f"{len(targets)} {action.object}s: {names(targets)}"]
        if not action.confirm:
            return [*asked, *self._begun(action, targets)]
        asked.append(action.question_of("each of them"))
        losing: dict[str, list[Target]] = {}
        for target in targets:
            losing.setdefault(action.losses(target.thing), []).append(target)
        for lost, some in losing.items():
            if lost:
                asked.append(lost if len(some) == len(targets) else f"{names(some)}: {lost}")
        return [*asked, *self._begun(action, targets)]

    def _begun(self, action: Action, targets: Sequence[Target]) -> list[str]:
        """What is under way with them already, where a question is asked of it, or ends by it."""
        from .parting import under_way

        if action.ends:
            return self._ends(action, targets)
        return under_way({t.ref for t in targets} if action.confirm else (), self._app.fleet)

    def _ends(
        self, action: Action, targets: Sequence[Target], values: Mapping[str, Any] | None = None
    ) -> list[str]:
        """What is under way and would lose its host by this, done with these values."""
        if not action.ends:
            return []
        from .parting import ended_by

        given = (values or {}) if action.name in BY_FORM else None
        return ended_by([t.thing for t in targets], given, self._app.fleet, self._app.sessions)

    def _title(self, action: Action, targets: Sequence[Target]) -> str:
        if action.new:
            return action.title
        return f"{action.title}: {self._describe([target.ref for target in targets])}"

    def _confirm(
        self, action: Action, targets: Sequence[Target], values: Mapping[str, Any]
    ) -> None:
        from tuivirt.widgets.dialogs import ConfirmDialog

        def answered(yes: bool | None) -> None:
            if yes:
                self._submit(action, targets, values)
            elif yes is None:
                self._fill_in(action, targets, values)

        self._app.ask(
            ConfirmDialog(
                self._title(action, targets),
                self._questions(action, targets),
                yes=action.title.lower(),
                destructive=action.destructive,
                options=bool(action.parameters),
            ),
            answered,
        )

    def _fill_in(
        self, action: Action, targets: Sequence[Target], values: Mapping[str, Any]
    ) -> None:
        from .forms import ActionForm
        from .offers import Asked

        refs = [target.ref for target in targets]
        draft = self._drafts.of(action, refs, values)
        said = self._questions(action, targets) or [action.help.split("\n\n")[0].replace("\n", " ")]
        said += [AGAIN] if draft else []
        form = ActionForm(self._title(action, targets), action, values, said, draft)

        def answered(given: Mapping[str, Any] | None) -> None:
            self._drafts.keep(action, refs, values, form.typed)
            if given is None:
                return
            filled_in = form.parameters(given)
            if action.name in BY_FORM and (ends := self._ends(action, targets, filled_in)):
                self._confirm_ends(action, targets, filled_in, ends)
            else:
                self._submit(action, targets, filled_in)

        self._app.ask(form, answered)
        fleet = self._app.fleet
        asked = [Asked(t.ref, t.thing, fleet.stats(t.ref), tuple(fleet.hosts)) for t in targets]
        form.look_up(asked, self._app.look_up)

    def _confirm_ends(
        self,
        action: Action,
        targets: Sequence[Target],
        values: Mapping[str, Any],
        ends: Sequence[str],
    ) -> None:
        """Asked behind a form in which that was said which ends the connection."""
        from tuivirt.widgets.dialogs import ConfirmDialog

        dialog = ConfirmDialog(self._title(action, targets), ends, yes=action.title.lower())
        self._app.ask(dialog, lambda yes: self._submit(action, targets, values) if yes else None)

    def _show_plan(
        self, action: Action, targets: Sequence[Target], values: Mapping[str, Any]
    ) -> None:
        """What would be done is shown first; then it is asked for."""
        from .planning import PlanForm

        names = {target.ref: target.name for target in targets}
        form = PlanForm(self._title(action, targets), action, names)

        def answered(given: Mapping[str, Any] | None) -> None:
            if given is not None:
                self._drafts.drop(action, names)
                for target in targets:
                    if target.ref not in form.refused:
                        settled = form.settled(target.ref)
                        forced = {**values, **settled, "force": target.ref in form.risky}
                        self._submit(action, [target], forced)

        self._app.ask(form, answered)
        form.look_up(values, self._app.look_up)

    def _submit(self, action: Action, targets: Sequence[Target], values: Mapping[str, Any]) -> None:
        # A question may have stood open for long.
        fleet = self._app.fleet
        targets = self._able(action, [target.now(fleet, action) for target in targets])
        if not targets:
            return
        if action.view:
            self._app.show_view(action, targets[0].ref, values)
            return
        if action.plan is not None and "force" not in values:
            self._show_plan(action, targets, values)
            return
        self._drafts.drop(action, [target.ref for target in targets])
        for target in targets:
            try:
                name = target.name or str(values.get("name", ""))
                self._app.submit(action, target.ref, name, values)
            except TuivirtError as error:
                self._app.say(f"{target.name}: {joined(error)}", "error")
