"""An exchange that speaks the manager interface of Asterisk over a real socket, and plays calls on it.

It answers Challenge, Login, Ping, Originate, Hangup, CoreStatus, CoreShowChannels and Logoff, and tells its sessions
what a real one tells: in between also what must not matter (Cdr in any order, VarSet, Newexten).
"""

import asyncio
import concurrent.futures
import hashlib
import itertools
import random
import secrets
import threading
import time

TRUNK = "provider"
ROOM = "from-trunk"


def in_a_loop(coroutine, seconds=30):
    """Runs it in a thread of its own: once a browser has been driven, the tests' own thread has a running loop."""
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asyncio.wait_for(coroutine, seconds)).result()


def _channel(name, uid, call, **more):
    """The part of a channel that every event about it carries."""
    return {"Channel": name, "Uniqueid": uid, "Linkedid": call, **more}


def _dest(headers):
    return {f"Dest{name}": value for name, value in headers.items()}


class Line:
    """One channel of the exchange."""

    def __init__(self, pbx, name, *, call=None, uid=None, caller="", exten="", state="Down"):
        self.pbx, self.uid = pbx, uid or pbx.new_id()
        self.call = call or self.uid
        self.name = f"{name}-{next(pbx.numbers):08x}"
        self.caller, self.exten, self.bridge, self.state = caller, exten, "", state
        pbx.lines[self.uid] = self
        pbx.tell("Newchannel", **self.headers(), ChannelStateDesc=state)
        pbx.noise(self)

    def headers(self):
        return _channel(
            self.name, self.uid, self.call, CallerIDNum=self.caller or "<unknown>", ConnectedLineNum="<unknown>",
            Exten=self.exten or "s", Context=ROOM, Priority="1",
        )  # fmt: skip

    def ringing(self):
        self.state = "Ringing"
        self.pbx.tell("Newstate", **self.headers(), ChannelState="5", ChannelStateDesc="Ringing")

    def enter(self, bridge, technology="simple_bridge"):
        self.bridge, self.state = bridge, "Up"
        self.pbx.tell("BridgeEnter", BridgeUniqueid=bridge, BridgeTechnology=technology, **self.headers())

    def leave(self):
        self.pbx.tell("BridgeLeave", BridgeUniqueid=self.bridge, **self.headers())
        self.bridge = ""

    def hang_up(self, cause=16):
        if self.pbx.lines.pop(self.uid, None):
            self.pbx.tell("Hangup", **self.headers(), Cause=str(cause), **{"Cause-txt": "x"})


class Asterisk:
    """`phones`: what happens at each extension when it is rung: "answers", "rings", "busy"; absent = not registered."""

    def __init__(self, *, phones=None, username="crm", secret="s3cret", system="pbx1", offers_challenge=True):
        self.phones = {"101": "answers", "102": "answers", "103": "rings"} if phones is None else phones
        self.username, self.secret, self.system = username, secret, system
        self.offers_challenge = offers_challenge
        self.lines, self.sessions, self.originated, self.received = {}, {}, [], []
        self.numbers, self.ids, self.started = itertools.count(1), itertools.count(1), time.time()
        self.random, self.port, self.is_deaf = random.Random(7), 0, False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server = None

    # Running

    def __enter__(self):
        self._thread.start()
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def start(self):
        """Listens, at the same port as before if it has been started before."""

        async def begin():
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

        self.started = time.time()
        self._do(begin())

    def stop(self):
        """Killed: nobody is told of any end."""
        self.lines.clear()

        async def end():
            if self._server:
                self._server.close()
                self._server = None
            for writer in list(self.sessions):
                writer.transport.abort()
            await asyncio.sleep(0)

        self._do(end())

    def drop(self):
        """Only the connections go; the calls go on."""

        async def cut():
            for writer in list(self.sessions):
                writer.transport.abort()
            await asyncio.sleep(0)

        self._do(cut())

    def wait_for_session(self, seconds=10):
        """Until a session that wants events is logged in."""
        end = time.monotonic() + seconds
        while not any(self.sessions.values()):
            assert time.monotonic() < end, "nobody logged in"
            time.sleep(0.01)

    # The protocol

    async def _serve(self, reader, writer):
        writer.write(b"Asterisk Call Manager/9.0.0\r\n")
        challenge = secrets.token_hex(8)
        try:
            while True:
                asked = await self._read(reader)
                if self.is_deaf:
                    continue
                self.received.append(asked)
                if not await self._answer(writer, asked, challenge):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.sessions.pop(writer, None)
            writer.close()

    async def _read(self, reader):
        message = {}
        while True:
            line = (await reader.readuntil(b"\n")).decode().rstrip("\r\n")
            if not line and message:
                return message
            if line:
                name, _, value = line.partition(":")
                message[name.strip()] = value.strip()

    async def _answer(self, writer, asked, challenge):
        action, is_in = asked.get("Action"), writer in self.sessions

        def reply(response, message="", **more):
            self._write(
                writer,
                {"Response": response, "ActionID": asked.get("ActionID", ""), "Message": message, **more},
            )

        if action == "Challenge" and self.offers_challenge:
            reply("Success", Challenge=challenge)
        elif action == "Login":
            wanted = hashlib.md5((challenge + self.secret).encode()).hexdigest()
            is_right = asked.get("Key") == wanted or asked.get("Secret") == self.secret
            if asked.get("Username") != self.username or not is_right:
                reply("Error", "Authentication failed")
                return False
            self.sessions[writer] = asked.get("Events") != "off"
            reply("Success", "Authentication accepted")
            self._write(writer, {"Event": "FullyBooted", "Status": "Fully Booted"})
        elif not is_in:
            reply("Error", "Permission denied")
        elif action == "Logoff":
            reply("Goodbye", "Thanks for all the fish.")
            return False
        else:
            self._act(writer, asked, reply)
        return True

    def _act(self, writer, asked, reply):
        action, action_id = asked.get("Action"), asked.get("ActionID", "")
        if action == "Ping":
            reply("Success", Ping="Pong")
        elif action == "CoreStatus":
            moment = time.gmtime(self.started)
            reply(
                "Success",
                CoreStartupDate=time.strftime("%Y-%m-%d", moment),
                CoreStartupTime=time.strftime("%H:%M:%S", moment),
                CoreCurrentCalls=str(len(self.lines)),
            )
        elif action == "CoreShowChannels":
            reply("Success", "Channels will follow", EventList="start")
            for line in list(self.lines.values()):
                row = {
                    **line.headers(),
                    "ChannelStateDesc": line.state,
                    "BridgeId": line.bridge,
                    "Duration": "00:00:05",
                }
                self._write(writer, {"Event": "CoreShowChannel", "ActionID": action_id, **row})
            self._write(
                writer, {"Event": "CoreShowChannelsComplete", "ActionID": action_id, "EventList": "Complete"}
            )
        elif action == "Hangup":
            found = [line for line in self.lines.values() if line.name == asked.get("Channel")]
            reply("Success", "Channel Hungup") if found else reply("Error", "No such channel")
            for line in found:
                self.finish(line.call)
        elif action == "Originate":
            self.originated.append(asked)
            self._originate(asked)  # told in the next turn of the loop: after the answer
            reply("Success", "Originate successfully queued")
        else:
            reply("Error", "Invalid/unknown command")

    def _write(self, writer, headers):
        text = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value != "")
        writer.write(text.encode() + b"\r\n")

    def tell(self, event, **headers):
        """To every session that wants events; from any thread."""
        message = {"Event": event, "Privilege": "call,all", "SystemName": self.system, **headers}
        message["Timestamp"] = f"{time.time():.6f}"

        def write():
            for writer, wants in list(self.sessions.items()):
                if wants:
                    self._write(writer, message)

        self._loop.call_soon_threadsafe(write)

    def noise(self, line):
        self.tell("VarSet", **line.headers(), Variable="SIPDOMAIN", Value="pbx.example")
        self.tell("Newexten", **line.headers(), Application="Dial", AppData="x")

    def cdr(self, line):
        """At a moment of its own, with a disposition that means nothing."""
        self.tell(
            "Cdr",
            UniqueID=line.uid,
            Disposition=self.random.choice(["ANSWERED", "NO ANSWER"]),
            BillableSeconds="9",
        )

    def new_id(self):
        return f"{self.system}-{int(self.started)}.{next(self.ids)}"

    # Starting calls by the manager interface

    def _originate(self, asked):
        extension, call = asked["Channel"].partition("/")[2], asked["ChannelId"]
        told = {"ActionID": asked["ActionID"], "Channel": asked["Channel"], "Exten": asked["Exten"]}

        def response(result, reason):
            self.tell("OriginateResponse", Response=result, Reason=str(reason), Uniqueid=call, **told)

        if call in self.lines or extension not in self.phones:
            response("Failure", 0)
            return
        phone = Line(self, asked["Channel"], uid=call, exten=asked["Exten"])
        self.tell("DialBegin", **_dest(phone.headers()), DialString=extension)
        phone.ringing()
        behaviour = self.phones[extension]
        if behaviour == "rings":
            phone.hang_up(0)
            response("Failure", 3)
        elif behaviour == "busy":
            phone.hang_up(17)
            response("Failure", 5)
        else:
            self.tell("DialEnd", **_dest(phone.headers()), DialStatus="ANSWER")
            response("Success", 4)
            self.ring_outside(phone, asked["Exten"])

    def ring_outside(self, phone, number, status="ANSWER"):
        client = Line(self, f"PJSIP/{TRUNK}", call=phone.call, caller=number)
        self.dial(phone, client, f"{number}@{TRUNK}", status)
        if status == "ANSWER":
            self.talk(phone, client)

    # Pieces of calls

    def arrive(self, client, line="+48221000000"):
        """A call comes in by the trunk."""
        return Line(self, f"PJSIP/{TRUNK}", caller=client, exten=line, state="Ring")

    def phone(self, extension, caller):
        return Line(self, f"PJSIP/{extension}", call=caller.call, caller=extension)

    def begin_dial(self, caller, dest, string=""):
        self.tell("DialBegin", **caller.headers(), **_dest(dest.headers()), DialString=string or dest.caller)
        dest.state = "Ringing"
        self.tell("DialState", **caller.headers(), **_dest(dest.headers()), DialStatus="RINGING")

    def end_dial(self, caller, dest, status):
        self.tell("DialEnd", **caller.headers(), **_dest(dest.headers()), DialStatus=status)

    def dial(self, caller, dest, string="", status="ANSWER"):
        self.begin_dial(caller, dest, string)
        self.end_dial(caller, dest, status)

    def talk(self, *lines):
        bridge = secrets.token_hex(8)
        for line in lines:
            line.enter(bridge)
        return bridge

    def finish(self, call, cause=16):
        """Every channel of a call ends, in any order, with Cdr somewhere in between."""
        lines = [line for line in self.lines.values() if line.call == call]
        self.random.shuffle(lines)
        for line in lines:
            if self.random.random() < 0.5:
                self.cdr(line)
            if line.bridge:
                line.leave()
            line.hang_up(cause)
            self.cdr(line)

    # Whole calls. Each returns the id of the call.

    def answered(self, client="+48600100200", extension="101", *, ends=True):
        caller = self.arrive(client)
        phone = self.phone(extension, caller)
        self.dial(caller, phone)
        self.talk(caller, phone)
        if ends:
            self.finish(caller.call)
        return caller.call

    def ring_group(self, client="+48600100200", extensions=("101", "102", "103"), winner="102"):
        caller = self.arrive(client)
        phones = {extension: self.phone(extension, caller) for extension in extensions}
        for phone in phones.values():
            self.begin_dial(caller, phone)
        self.end_dial(caller, phones[winner], "ANSWER")
        for extension, phone in phones.items():
            if extension != winner:
                self.end_dial(caller, phone, "CANCEL")
                self.end_dial(caller, phone, "CANCEL")
                phone.hang_up(26)
        self.talk(caller, phones[winner])
        self.finish(caller.call)
        return caller.call

    def queue(self, client="+48600100200", refuses="103", takes="101"):
        """By way of Local channels, as queues dial; the caller stands in a holding bridge meanwhile."""
        caller = self.arrive(client)
        self.tell("QueueCallerJoin", **caller.headers(), Queue="sales", Position="1", Count="1")
        caller.enter("moh", "holding_bridge")
        for extension, status in ((refuses, "NOANSWER"), (takes, "ANSWER")):
            near = Line(self, f"Local/{extension}@queue;1", call=caller.call)
            far = Line(self, f"Local/{extension}@queue;2", call=caller.call)
            self.begin_dial(caller, near, f"{extension}@queue")
            phone = self.phone(extension, caller)
            self.dial(far, phone, status=status)
            self.end_dial(caller, near, status)
            near.hang_up()
            far.hang_up()
            if status == "ANSWER":
                self.talk(caller, phone)
            else:
                phone.hang_up(19)
        self.finish(caller.call)
        return caller.call

    def missed(self, client="+48600100200", extensions=("101",)):
        """The caller gives up: cause 127 at his channel, which says nothing."""
        caller = self.arrive(client)
        phones = [self.phone(extension, caller) for extension in extensions]
        for phone in phones:
            self.begin_dial(caller, phone)
        for phone in phones:
            self.end_dial(caller, phone, "CANCEL")
            phone.hang_up(16)
        self.cdr(caller)
        caller.hang_up(127)
        return caller.call

    def busy(self, client="+48600100200", extension="101"):
        caller = self.arrive(client)
        phone = self.phone(extension, caller)
        self.begin_dial(caller, phone)
        self.end_dial(caller, phone, "BUSY")
        phone.hang_up(17)
        caller.hang_up(17)
        return caller.call

    def outgoing(self, number="+48600100200", extension="101", *, status="ANSWER"):
        """Dialled at the phone itself."""
        phone = Line(self, f"PJSIP/{extension}", caller=extension, exten=number, state="Ring")
        self.ring_outside(phone, number, status)
        self.finish(phone.call)
        return phone.call

    def internal(self, extension="101", other="102"):
        phone = Line(self, f"PJSIP/{extension}", caller=extension, exten=other, state="Ring")
        called = self.phone(other, phone)
        self.dial(phone, called)
        self.talk(phone, called)
        self.finish(phone.call)
        return phone.call

    def blind_transfer(self, client="+48600100200", first="101", second="102"):
        call = self.answered(client, first, ends=False)
        caller = self.lines[call]
        phone = next(line for line in self.lines.values() if line.call == call and line is not caller)
        given = {f"Transferer{name}": value for name, value in phone.headers().items()}
        self.tell("BlindTransfer", Result="Success", Extension=second, Context=ROOM, **given)
        caller.leave()
        phone.leave()
        phone.hang_up()
        other = self.phone(second, caller)
        self.dial(caller, other)
        self.talk(caller, other)
        self.finish(call)
        return call

    def attended_transfer(self, client="+48600100200", first="101", second="102"):
        """The first manager asks the second in a call of its own; then the two calls become one."""
        call = self.answered(client, first, ends=False)
        caller = self.lines[call]
        phone = next(line for line in self.lines.values() if line.call == call and line is not caller)
        asking = Line(self, f"PJSIP/{first}", caller=first, exten=second, state="Ring")
        other = self.phone(second, asking)
        self.dial(asking, other)
        self.talk(asking, other)
        headers = {f"OrigTransferer{name}": value for name, value in phone.headers().items()}
        headers |= {f"SecondTransferer{name}": value for name, value in asking.headers().items()}
        headers |= {f"TransferTarget{name}": value for name, value in other.headers().items()}
        self.tell("AttendedTransfer", Result="Success", DestType="Bridge", **headers)
        for line in (phone, asking):
            line.leave()
            line.hang_up()
        other.call = call
        self.talk(caller, other)
        self.finish(call)
        return call
