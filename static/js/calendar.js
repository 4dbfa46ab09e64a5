// The calendar page: the browser's calendar over our own events; times are those of the reader's clock throughout.
const root = document.getElementById("calendar");
const data = root.dataset;
const VIEWS = { month: "dayGridMonth", week: "timeGridWeek", day: "timeGridDay", agenda: "agenda" };
const OFF = "calendar-layers-off";
const LAST_VIEW = "calendar-view";
const narrow = matchMedia("(max-width: 767px)");
const loadedAt = Date.now();

const recall = (key) => { try { return localStorage.getItem(key) || ""; } catch { return ""; } };
const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* then it is not remembered */ } };
const say = (text, level = "danger") => {
  document.body.dispatchEvent(new CustomEvent("toast", { detail: { messages: [{ text, level }] } }));
};
const open = (url, look) => document.body.dispatchEvent(new CustomEvent("dialog-open", { detail: { url, look } }));
const nameOf = (type) => Object.keys(VIEWS).find((name) => VIEWS[name] === type);

// Layers: all are on until somebody switches one off; this browser remembers.
const boxes = [...document.querySelectorAll("[data-cal-layers] input")];
const off = new Set(recall(OFF).split(",").filter(Boolean));
for (const box of boxes) {
  box.checked = !off.has(box.value);
  box.addEventListener("change", () => {
    box.checked ? off.delete(box.value) : off.add(box.value);
    remember(OFF, [...off].join(","));
    calendar.refetchEvents();
  });
}

function isShown(event) {
  if (event.display === "background") return true;
  if (event.layer) return !off.has(event.layer);
  if (off.has("closed") && ["done", "cancelled"].includes(event.status)) return false;
  return !off.has("activities");
}

const dayOf = (moment) => moment.toISOString().slice(0, 10);

async function fetchEvents({ start, end }) {
  const layers = boxes.map((box) => box.value).filter((key) => !off.has(key));
  const asked = new URLSearchParams({ start: dayOf(start), end: dayOf(end), people: data.people, layers: layers.join(",") });
  const answer = await fetch(`${data.events}?${asked}`, { credentials: "same-origin" });
  if (answer.redirected) { location.reload(); return []; }
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.message);
  return found.events.filter(isShown).map((event) => ({ ...event, class: `cal-event is-${event.status} kind-${event.kind || "none"}` }));
}

const picture = (name) => document.getElementById(`cal-icon-${name}`)?.content.firstElementChild?.cloneNode(true);

function part(css, text) {
  const node = document.createElement("span");
  node.className = css;
  node.textContent = text;
  return node;
}

function facesOf(event) {
  return (event.extendedProps.faces || []).slice(0, 3).map((face) => {
    const node = part(`face face-${face.colour} cal-face`, face.short);
    node.title = face.name;
    return node;
  });
}

// Icon, time, title; what a colour says is said by an icon or a word as well.
function content({ event, timeText, view, isShort }) {
  const { status, kind, layer, kindLabel, isPrivate, place, repeats } = event.extendedProps;
  if (event.display === "background") return { domNodes: [part("cal-behind", event.title)] };
  const mark = ["done", "cancelled", "overdue", "busy"].includes(status) ? status : "";
  const nodes = [picture(layer || kind), mark && picture(mark)];
  if (view.type === VIEWS.agenda) nodes.unshift(part("cal-time cal-column", event.allDay ? data.textAllDay : timeText));
  else if (timeText && !event.allDay) nodes.push(part("cal-time", timeText));
  nodes.push(part("cal-name", event.title));
  if (repeats) nodes.push(picture("repeats"));
  const spoken = [kindLabel, repeats, mark && data[`text${mark[0].toUpperCase()}${mark.slice(1)}`], isPrivate && data.textPrivate];
  nodes.push(part("visually-hidden", spoken.filter(Boolean).map((word) => `, ${word}`).join("")));
  if (isPrivate) nodes.push(picture("private"));
  if (place) nodes.push(part("cal-place", place));
  const line = document.createElement("span");
  line.className = isShort || view.type === VIEWS.month || event.allDay ? "cal-line is-short" : "cal-line";
  line.title = event.title;
  line.append(...nodes.filter(Boolean), ...facesOf(event));
  return { domNodes: [line] };
}

const written = (moment) => moment.toISOString().slice(0, 16);

// What repeats goes back to its place; the form asks how many of them are meant.
function ask({ event, revert }, withEnd) {
  const asked = new URLSearchParams({ starts_at: written(event.start) });
  if (event.end && withEnd) asked.set("ends_at", written(event.end));
  const { time } = event.extendedProps;
  revert();
  open(`${time}?${asked}`, "center");
}

async function save(info, withEnd) {
  const { event, revert } = info;
  if (event.extendedProps.repeats) return ask(info, withEnd);
  const body = new FormData();
  body.set("starts_at", written(event.start));
  if (event.end && (withEnd || event.allDay)) body.set("ends_at", written(event.end));
  else if (event.allDay) body.set("ends_at", written(new Date(event.start.getTime() + 86_400_000)));
  body.set("version", event.extendedProps.version);
  const token = document.querySelector('meta[name="csrf-token"]').content;
  try {
    const answer = await fetch(event.extendedProps.move, { method: "POST", body, credentials: "same-origin", headers: { "X-CSRFToken": token } });
    const isJson = (answer.headers.get("Content-Type") || "").includes("json");
    const found = isJson ? await answer.json() : {};
    if (!answer.ok || !isJson) throw new Error(found.message || data.textFailed);
    event.setExtendedProp("version", found.version);
    say(found.message, "success");
    document.body.dispatchEvent(new CustomEvent("activity-changed"));
  } catch (error) {
    revert();
    say(error instanceof TypeError ? document.body.dataset.textOffline : error.message);
    calendar.refetchEvents();
  }
}

function plan({ start, end, allDay }) {
  const asked = new URLSearchParams({ starts_at: start.toISOString().slice(0, 16), kind: "meeting" });
  if (allDay) {
    asked.set("all_day", "1");
    asked.set("last_day", dayOf(new Date(end.getTime() - 86_400_000)));
  } else {
    asked.set("minutes", Math.round((end - start) / 60_000));
  }
  const people = data.people.split(",");
  if (people.length === 1 && people[0] !== data.own) asked.set("owner", people[0]);
  open(`${data.create}?${asked}`, "center");
  calendar.unselect();
}

function show({ view }) {
  const name = nameOf(view.type);
  document.querySelector("[data-cal-title]").textContent = view.title;
  for (const button of document.querySelectorAll("[data-cal-view]")) {
    button.setAttribute("aria-pressed", String(button.dataset.calView === name));
  }
  remember(LAST_VIEW, name);
  const asked = new URLSearchParams(location.search);
  asked.delete("add");
  asked.set("view", name);
  asked.set("date", dayOf(calendar.getDate()));
  if (data.people !== data.own) asked.set("people", data.people);
  history.replaceState(history.state, "", `?${asked}`);
  for (const link of document.querySelectorAll("[data-cal-link]")) {
    const without = new URLSearchParams(link.getAttribute("href"));
    link.href = `?${new URLSearchParams({ view: name, date: asked.get("date"), people: without.get("people") || "" })}`;
  }
}

const first = data.view || (narrow.matches ? "agenda" : recall(LAST_VIEW)) || "week";
const clock = { hour: "2-digit", minute: "2-digit", hour12: false };
const calendar = new FullCalendar.Calendar(root, {
  initialView: VIEWS[first] || VIEWS.week,
  initialDate: data.date,
  timeZone: "UTC",
  now: () => new Date(Date.parse(`${data.now}Z`) + Date.now() - loadedAt).toISOString().slice(0, 19),
  locale: data.language,
  firstDay: 1,
  headerToolbar: false,
  height: narrow.matches ? "auto" : "100%",
  expandRows: true,
  nowIndicator: true,
  navLinks: true,
  navLinkDayClick: "timeGridDay",
  dayMaxEvents: true,
  scrollTime: "08:00:00",
  slotDuration: "00:30:00",
  snapDuration: "00:15:00",
  displayEventEnd: false,
  eventMinHeight: 20,
  eventShortHeight: 34,
  views: { timeGridWeek: { titleFormat: { year: "numeric", month: "long", day: "numeric" } }, agenda: { type: "list", duration: { days: 14 }, dateIncrement: { days: 7 }, displayEventEnd: true } },
  defaultTimedEventDuration: "00:30:00",
  eventTimeFormat: clock,
  slotHeaderFormat: clock,
  businessHours: JSON.parse(data.hours),
  editable: !narrow.matches,
  eventDurationEditable: !narrow.matches,
  selectable: !narrow.matches,
  selectMirror: true,
  eventAllow: (span, event) => span.allDay === event.allDay,
  allDayText: data.textAllDay,
  noEventsText: data.textEmpty,
  events: (span, done, failed) => { fetchEvents(span).then(done, failed); },
  eventSourceFailure: (error) => say(error?.message || data.textFailed),
  eventContent: content,
  eventClick: (info) => {
    const { jsEvent, event } = info;
    if (!event.url || event.extendedProps.layer || jsEvent.ctrlKey || jsEvent.metaKey || jsEvent.shiftKey) return;
    jsEvent.preventDefault();
    open(event.url, "side");
  },
  eventDrop: (info) => save(info, false),
  eventResize: (info) => save(info, true),
  select: plan,
  datesSet: (info) => queueMicrotask(() => show(info)),
});
calendar.render();

for (const button of document.querySelectorAll("[data-cal-go]")) {
  button.addEventListener("click", () => calendar[button.dataset.calGo]());
}
for (const button of document.querySelectorAll("[data-cal-view]")) {
  button.addEventListener("click", () => calendar.changeView(VIEWS[button.dataset.calView]));
}
document.querySelector("[data-cal-add]")?.addEventListener("change", ({ target }) => {
  const people = data.people === data.own && !new URLSearchParams(location.search).has("people") ? [data.own] : data.people.split(",");
  const asked = new URLSearchParams(location.search);
  asked.set("people", [...people, target.value].join(","));
  location.search = asked;
});

// Somebody changed an activity, here in a dialog or elsewhere: read the shown days again, once for a burst.
let timer = null;
function again() {
  clearTimeout(timer);
  timer = setTimeout(() => calendar.refetchEvents(), 300);
}
document.body.addEventListener("activity-changed", again);
document.body.addEventListener("live:collab_calendar.activity", again);
