// Draws a diagram with what has happened on it: colours on the elements, a bubble on whatever waits.
const STATES = ["done", "current", "late", "failed", "cancelled"];

function bubble(lines) {
  const box = document.createElement("div");
  box.className = "bubble";
  for (const line of lines) {
    const row = document.createElement("div");
    row.textContent = line;
    box.append(row);
  }
  return box;
}

function mark(viewer, marks) {
  const canvas = viewer.get("canvas");
  const overlays = viewer.get("overlays");
  const registry = viewer.get("elementRegistry");
  overlays.remove({ type: "waits" });
  registry.forEach((element) => STATES.forEach((state) => canvas.removeMarker(element.id, `is-${state}`)));
  for (const [id, { state, lines }] of Object.entries(marks)) {
    if (!registry.get(id)) continue;
    if (state) canvas.addMarker(id, `is-${state}`);
    if (!lines.length) continue;
    const html = bubble(lines);
    html.classList.add(`bubble-${state}`);
    overlays.add(id, "waits", { position: { top: -6, left: 0 }, html });
  }
}

// The reader's language: names are put into the model before it is drawn.
function translate(viewer, names) {
  viewer.on("import.parse.complete", ({ elementsById }) => {
    for (const [id, name] of Object.entries(names)) {
      if (elementsById?.[id]) elementsById[id].name = name;
    }
  });
}

function fit(viewer) {
  const canvas = viewer.get("canvas");
  canvas.zoom("fit-viewport", "auto");
  if (canvas.zoom() > 1) canvas.zoom(1, "auto");
}

async function draw(frame) {
  const viewer = new window.BpmnJS({ container: frame.querySelector(".diagram-canvas") });
  translate(viewer, JSON.parse(frame.dataset.names));
  try {
    const answer = await fetch(frame.dataset.bpmn, { credentials: "same-origin" });
    await viewer.importXML(await answer.text());
  } catch {
    const failed = frame.querySelector(".diagram-failed");
    failed.textContent = frame.dataset.textFailed;
    failed.hidden = false;
    frame.classList.add("is-failed");
    return;
  }
  fit(viewer);
  mark(viewer, JSON.parse(frame.dataset.marks));
  frame.addEventListener("click", (event) => {
    const how = event.target.closest("[data-zoom]")?.dataset.zoom;
    const canvas = viewer.get("canvas");
    if (how === "fit") fit(viewer);
    else if (how) canvas.zoom(canvas.zoom() * (how === "in" ? 1.25 : 0.8), "auto");
  });
  // Fresh steps bring fresh marks.
  document.addEventListener("htmx:afterSwap", () => {
    const steps = document.getElementById("run-steps");
    if (steps?.dataset.marks) mark(viewer, JSON.parse(steps.dataset.marks));
  });
  frame.dataset.drawn = "true";
}

document.querySelectorAll("[data-bpmn]").forEach(draw);
