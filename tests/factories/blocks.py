"""Random processes made of blocks, each with one way in and one way out, so that every one of them is sound."""

from hypothesis import strategies as st

from tests.factories.diagrams import (
    border,
    both,
    catch,
    element,
    end,
    escalation,
    flow,
    handler,
    pause,
    service,
    some,
    start,
    sub,
    throw,
    timer,
    user,
    xor,
)

ANSWERED = ("task", "choice", "job", "timer", "message", "signal", "call")
TWICE = "<loopCardinality>2</loopCardinality>"


def _blocks(leaves, kinds):
    return st.recursive(
        st.sampled_from(leaves),
        lambda inner: st.tuples(st.sampled_from(kinds), inner, inner),
        max_leaves=8,
    )


# What comes of these does not depend on the order in which things happen.
BLOCKS = _blocks(
    ["user", "service", "pause", "message", "signal", "call", "rule"],
    ["row", "both", "xor", "some", "sub", "many", "each", "helped"],
)
# In these it does: a clock may run out, the first event decides, and everything may be cut short.
WILD_BLOCKS = _blocks(
    ["user", "service", "pause", "message", "signal", "call"],
    ["row", "both", "xor", "sub", "many", "each", "helped", "watched", "race", "handled"],
)
# What the other engine of the differential test knows as well, and reads as it is drawn.
PLAIN_BLOCKS = _blocks(["user"], ["row", "both", "xor", "some", "sub"])

LEAVES = {
    "user": user,
    "service": service,
    "pause": pause,
    "message": lambda name: catch(name, "<messageEventDefinition/>"),
    "signal": lambda name: catch(name, "<signalEventDefinition/>"),
    "call": lambda name: element("callActivity", name, calledElement="other"),
    "rule": lambda name: element(
        "businessRuleTask",
        name,
        f'<extensionElements><crm:set variable="{name}" value="yes"/></extensionElements>',
    ),
}


class Drawing:
    """Turns a tree of blocks into elements. `conditions` instead of a person's choice behind exclusive gateways."""

    def __init__(self, *, conditions=False):
        self.parts = []
        self.count = 0
        self.conditions = conditions

    def name(self, letter):
        self.count += 1
        return f"{letter}{self.count}"

    def draw(self, block):
        """(first node, last node) of the block."""
        if isinstance(block, str):
            name = self.name(block)
            self.parts.append(LEAVES[block](name))
            return name, name
        kind, one, other = block
        if kind in ("sub", "many", "each", "helped", "watched", "handled"):
            return self.draw_inside(kind, one)
        first, last = self.draw(one), self.draw(other)
        if kind == "row":
            self.parts.append(flow(f"{first[1]} > {last[0]}"))
            return first[0], last[1]
        return self.split(kind, first, last)

    def split(self, kind, first, last):
        fork, join = self.name("f"), self.name("j")
        gateways = {"both": both, "xor": xor, "some": some}
        if kind == "race":
            self.parts.append(element("eventBasedGateway", fork))
            first, last = self.behind_event(first), self.behind_event(last)
        elif kind == "xor" and self.conditions:
            self.parts.append(xor(fork, default=f"{fork}-{last[0]}"))
        else:
            self.parts.append(gateways[kind](fork))
        self.parts.append(gateways.get(kind, xor)(join))
        for number, (begin, finish) in enumerate((first, last)):
            decides = kind == "some" or (kind == "xor" and self.conditions and number == 0)
            condition = ("n > 1" if self.conditions and number else "True") if decides else ""
            self.parts += [flow(f"{fork} > {begin}", condition), flow(f"{finish} > {join}")]
        return fork, join

    def behind_event(self, block):
        event = self.name("t")
        self.parts += [pause(event), flow(f"{event} > {block[0]}")]
        return event, block[1]

    def draw_inside(self, kind, block):
        outer, self.parts = self.parts, []
        first, last = self.draw(block)
        begin, finish, name = self.name("s"), self.name("e"), self.name("box")
        inside = [
            start(begin),
            *self.parts,
            end(finish),
            flow(f"{begin} > {first}"),
            flow(f"{last} > {finish}") if kind != "helped" else self.help(last, finish),
        ]
        self.parts = [*outer, *self.around(kind, name, inside)]
        return (name, name) if kind not in ("watched", "helped") else (name, f"{name}m")

    def help(self, last, finish):
        help_ = self.name("h")
        return throw(help_, escalation()) + flow(f"{last} > {help_} > {finish}")

    def around(self, kind, name, inside):
        if kind in ("many", "each"):
            sequential = "true" if kind == "each" else "false"
            inside.insert(
                0, element("multiInstanceLoopCharacteristics", f"{name}mi", TWICE, isSequential=sequential)
            )
        if kind == "handled":
            begin = start(f"{name}hs", timer(), isInterrupting="false" if self.count % 2 else "true")
            inside.append(handler(f"{name}h", begin, user(f"{name}hu"), flow(f"{name}hs > {name}hu")))
        yield sub(name, *inside)
        if kind in ("watched", "helped"):
            trigger = escalation() if kind == "helped" else timer()
            yield border(f"{name}b", name, trigger, cancelActivity="true" if kind == "watched" else "false")
            yield xor(f"{name}m") + flow(f"{name} > {name}m")
            if kind == "watched":
                yield flow(f"{name}b > {name}m")
            else:
                yield user(f"{name}u") + end(f"{name}x") + flow(f"{name}b > {name}u > {name}x")


def drawn(block, *, conditions=False):
    """The parts of a process from its start `s` to its end `e`."""
    drawing = Drawing(conditions=conditions)
    first, last = drawing.draw(block)
    return [start(), *drawing.parts, end(), flow(f"s > {first}"), flow(f"{last} > e")]


def answer(play, node):
    """The same answer on a node whenever it is asked."""
    ways = play.graph.nodes[node].outgoing
    is_choice = play.graph.nodes[node].kind == "exclusiveGateway"
    return play.done(node, ways[len(node) % len(ways)] if is_choice else "")
