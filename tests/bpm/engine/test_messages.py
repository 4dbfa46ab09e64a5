"""Messages and signals: sent, waited for, on borders, behind event gateways (BPMN 2.0.2, 10.5.4 to 10.5.6, 13.5)."""

import pytest

from bpm.engine.events import (
    CancelTimer,
    CloseUserTask,
    MessageReceived,
    NodeLeft,
    SignalReceived,
    StaleEventError,
    Subscribe,
    ThrowMessage,
    ThrowSignal,
    Unsubscribe,
)
from tests.factories.diagrams import (
    Player,
    border,
    both,
    catch,
    declared,
    element,
    end,
    flow,
    message,
    pause,
    signal,
    start,
    throw,
    user,
)

KEY = "${deal.id}"


def given(*parts):
    return f"<extensionElements>{''.join(parts)}</extensionElements>"


@pytest.mark.parametrize(
    "waiting",
    [
        catch("m", message(), crm_correlationKey=KEY),
        element("receiveTask", "m", messageRef="M", crm_correlationKey=KEY),
    ],
)
def test_a_message_is_waited_for_and_brings_values(waiting):
    """13.3.3 receive task, 13.5.2 intermediate event: the token stays until the message has arrived."""
    play = Player(declared(start(), waiting, end(), flow("s > m > e")), deal={"id": 7})
    assert Subscribe(2, "m", "message", "M", "7") in play.effects
    assert (play.waiting, play.state.waiting()[0].name) == ([("m", "message")], "M")
    play.done("m", answer="yes")
    assert Unsubscribe(2) in play.latest
    assert play.ends == ["e"]
    assert play.state.variables["answer"] == "yes"
    with pytest.raises(StaleEventError):
        play.send(MessageReceived(2))


def test_only_what_the_drawing_names_is_kept_of_a_message():
    task = element("receiveTask", "m", given('<crm:output name="a" variable="b"/>'), messageRef="M")
    play = Player(declared(start(), task, end(), flow("s > m > e")))
    play.done("m", a=1, noise=2)
    assert play.state.variables == {"b": 1}


def test_a_message_without_a_name_goes_by_that_of_its_step():
    play = Player(
        declared(start(), catch("m", "<messageEventDefinition/>", name="Reply"), end(), flow("s > m > e"))
    )
    assert play.latest[-1] == Subscribe(2, "m", "message", "Reply", "")


@pytest.mark.parametrize(
    ("part", "node"),
    [
        (throw("m", given('<crm:input name="n" value="${n + 1}"/>') + message(), crm_correlationKey=KEY), "m"),
        (element("sendTask", "m", given('<crm:input name="n" value="${n + 1}"/>'), messageRef="M",
                 crm_correlationKey=KEY), "m"),
    ],
)  # fmt: skip
def test_a_message_is_sent_and_the_token_goes_on(part, node):
    """13.5.5: a throw event completes at once; nobody is waited for."""
    play = Player(declared(start(), part, end(), flow("s > m > e")), deal={"id": 7}, n=1)
    assert ThrowMessage(2, node, "M", "7", {"n": 2}) in play.effects
    assert play.status == "completed"


def test_an_end_sends_its_message_and_consumes_the_token():
    """13.5.6: message end."""
    play = Player(declared(start(), end("e", message()), flow("s > e")))
    assert ThrowMessage(2, "e", "M", "", {}) in play.effects
    assert (play.status, play.ends) == ("completed", ["e"])


def race():
    return Player(
        declared(
            start(), element("eventBasedGateway", "g"), catch("m", message()), pause("t"), catch("x", signal()),
            element("receiveTask", "r", messageRef="N"), end("a"), end("b"), end("c"), end("d"),
            flow("s > g > m > a"), flow("g > t > b"), flow("g > x > c"), flow("g > r > d"),
        )
    )  # fmt: skip


@pytest.mark.parametrize(("node", "way"), [("m", "a"), ("t", "b"), ("x", "c"), ("r", "d")])
def test_the_first_event_behind_a_gateway_decides(node, way):
    """13.4.4: the event that happens first takes the token; the others are not waited for any more."""
    play = race()
    assert len(play.waiting) == 5
    play.done(node)
    assert play.ends == [way]
    assert play.waiting == []
    ended = [effect for effect in play.latest if isinstance(effect, (Unsubscribe, CancelTimer))]
    assert len(ended) == (3 if node == "t" else 4)


def watched(**attributes):
    return Player(
        declared(
            start(), user("u"), border("b", "u", message(), **attributes), border("c", "u", signal(), **attributes),
            end(), end("told"), end("heard"), flow("s > u > e"), flow("b > told"), flow("c > heard"),
        )
    )  # fmt: skip


@pytest.mark.parametrize(("node", "way"), [("b", "told"), ("c", "heard")])
def test_an_interrupting_border_takes_the_place_of_its_task(node, way):
    """13.5.3: the activity is ended, its other events are no longer listened for."""
    play = watched()
    task = play.token("u")
    play.done(node)
    assert CloseUserTask(task) in play.latest
    assert NodeLeft(task, "u", cancelled=True) in play.latest
    assert sum(isinstance(effect, Unsubscribe) for effect in play.latest) == 2
    assert (play.ends, play.waiting) == ([way], [])


def test_a_border_that_does_not_interrupt_hears_every_time():
    """13.5.3: a new branch each time; the activity and its listening stay."""
    play = watched(cancelActivity="false")
    for _time in range(3):
        play.done("b")
    play.done("c")
    assert play.ends == ["told"] * 3 + ["heard"]
    assert play.waiting == [("b", "message"), ("c", "signal"), ("u", "task")]
    play.done("u")
    assert play.status == "completed"
    assert sum(isinstance(effect, Unsubscribe) for effect in play.latest) == 2


def test_a_signal_is_heard_by_everybody_who_listens():
    """10.5.6: a signal is broadcast; each receiver goes on."""
    play = Player(
        declared(
            start(), both("f"), catch("x", signal()), catch("y", signal()), catch("z", signal("T")), end(),
            flow("s > f > x > e"), flow("f > y > e"), flow("f > z > e"),
        )
    )  # fmt: skip
    play.send(SignalReceived("S", {"said": "now"}))
    assert play.ends == ["e", "e"]
    assert play.waiting == [("z", "signal")]
    assert play.state.variables == {"said": "now"}
    with pytest.raises(StaleEventError):
        play.send(SignalReceived("S"))


def test_a_signal_that_removes_a_listener_is_not_heard_by_it():
    """The oldest hears first; a terminate end behind it leaves nobody else to hear."""
    play = Player(
        declared(
            start(), user("u"), border("b", "u", signal()), border("c", "u", signal()), end("a"), end("d"),
            end(), flow("s > u > e"), flow("b > a"), flow("c > d"),
        )
    )  # fmt: skip
    play.send(SignalReceived("S"))
    assert play.ends == ["a"]


def test_a_thrown_signal_is_heard_inside_and_told_outside():
    play = Player(
        declared(
            start(), both("f"), catch("x", signal()), user("u"), throw("t", signal()), end("heard"), end(),
            flow("s > f > x > heard"), flow("f > u > t > e"),
        )
    )  # fmt: skip
    play.done("u")
    assert play.ends == ["heard", "e"] or play.ends == ["e", "heard"]
    assert [effect for effect in play.latest if isinstance(effect, ThrowSignal)] == [
        ThrowSignal(
            play.effects[[type(each) for each in play.effects].index(ThrowSignal)].token, "t", "S", {}
        )
    ]
    assert play.status == "completed"


def test_a_signal_end_that_cuts_its_own_scope_short():
    """The thrower is inside what the signal interrupts: it is gone with it, and no end is reached twice."""
    from tests.factories.diagrams import sub

    play = Player(
        declared(
            start(), sub("box", start("s1"), end("e1", signal()), flow("s1 > e1")), border("b", "box", signal()),
            end(), end("cut"), flow("s > box > e"), flow("b > cut"),
        )
    )  # fmt: skip
    assert play.ends == ["cut"]
    assert play.status == "completed"


def test_names_and_keys_that_cannot_be_worked_out_are_held():
    play = Player(
        declared(start(), catch("m", message(), crm_correlationKey="${gone}"), end(), flow("s > m > e"))
    )
    assert (play.waiting, play.effects[-1].code) == ([("m", "incident")], "value")
