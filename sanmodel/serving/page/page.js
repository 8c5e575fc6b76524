"use strict";

const VERSIONS = [
  { mode: "original", name: "Original", short: "", about: "Your photo as it is." },
  { mode: "same", name: "Same", short: "SM", about: "Changed with the prototype of the face’s own class: it is to look as before, to machines too." },
  { mode: "neutral", name: "Neutral", short: "NT", about: "Changed with the mean of both prototypes: a classifier is to be undecided." },
  { mode: "opposite", name: "Opposite", short: "OP", about: "Changed with the prototype of the other class: a classifier is to be wrong. It hides best." },
];
const SVG = "http://www.w3.org/2000/svg";
const UNREACHED = "the server cannot be reached: see whether it still runs, and try again";

const at = (id) => document.getElementById(id);
const state = { file: null, answer: null, waiting: null, limit: Infinity };

function element(name, text, properties = {}) {
  const made = Object.assign(document.createElement(name), properties);
  made.textContent = text;
  return made;
}

function say(text, kind = "") {
  const sentence = text && text[0].toUpperCase() + text.slice(1);
  at("message").className = kind;
  at("message").textContent = /[.…!?]$/.test(sentence) || !sentence ? sentence : `${sentence}.`;
}

// Requests: to this server and no other; its errors are one sentence each.

async function post(path, signal) {
  const headers = { "Content-Type": state.file.type || "application/octet-stream" };
  if (at("key").value) headers["X-API-Key"] = at("key").value.trim();
  let response;
  try {
    response = await fetch(path, { method: "POST", body: state.file, headers, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(UNREACHED);
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  throw new Error(told.detail || `the server answered ${response.status}: try again`);
}

async function about() {
  const response = await fetch("about").catch(() => null);
  if (!response || !response.ok) return say(UNREACHED, "error");
  const told = await response.json();
  state.limit = told.max_bytes;
  at("key-field").hidden = !told.asks_for_key;
  const choice = at("attribute");
  for (const word of told.words) choice.append(element("option", word, { value: word }));
  if (!told.reads) choice.querySelector("[value=auto]").remove();
  const name = told.attribute === "Male" ? "whether it is a man’s or a woman’s" : `“${told.attribute}”`;
  document.querySelector(".hidden-attribute").textContent = name;
}

async function tryPhoto() {
  if (!state.file) return;
  if (state.waiting) state.waiting.abort();
  const waiting = (state.waiting = new AbortController());
  at("result").hidden = true;
  if (state.file.size > state.limit) {
    return say(`the photo is larger than ${state.limit / 1e6} MB: shrink it first`, "error");
  }
  say("Looking for faces…", "busy");
  try {
    const query = new URLSearchParams({ attribute: at("attribute").value });
    const response = await post(`try?${query}`, waiting.signal);
    state.answer = await response.json();
    if (!waiting.signal.aborted) showAnswer();
  } catch (error) {
    if (error.name !== "AbortError") say(error.message, "error");
  }
}

// The answer: the photo with its boxes, the tables, and the version that the slider stands at.

function showAnswer() {
  const { answer } = state;
  const count = answer.faces.length;
  at("photo").style.setProperty("--ratio", answer.width / answer.height);
  drawBoxes(answer);
  at("tables").replaceChildren(...answer.faces.map((face, place) => table(face, place, answer)));
  at("explained").textContent = explanation(answer);
  at("note").textContent = answer.note;
  at("note").hidden = !answer.note;
  at("mode").value = 0;
  at("result").hidden = false;
  showVersion();
  say(`${count === 1 ? "One face" : `${count} faces`} found. Move the slider to see the versions.`);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  at("result").scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
}

function drawBoxes({ width, height, faces }) {
  const svg = at("boxes");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren();
  faces.forEach(({ box: [left, top, right, bottom] }, place) => {
    for (const kind of ["under", "over"]) {
      const shape = { x: left, y: top, width: right - left, height: bottom - top, rx: width / 150, class: kind };
      svg.append(drawn("rect", shape));
    }
    if (faces.length > 1) {
      const size = Math.max(width, height) / 28;
      const label = drawn("text", { x: left + size / 4, y: bottom - size / 3, "font-size": size });
      label.textContent = place + 1;
      svg.append(label);
    }
  });
}

function drawn(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function table(face, place, answer) {
  const reads = face.modes.original.probability !== undefined;
  const matches = face.modes.original.distance !== undefined;
  const made = document.createElement("table");
  const sure = face.confidence === null ? "as you say" : `${percent(face.confidence)} certain`;
  const title = answer.faces.length > 1 ? `Face ${place + 1}` : "The face";
  made.append(element("caption", `${title}: taken as ${face.class}, ${sure}`));
  const head = made.createTHead().insertRow();
  const columns = ["Version", ...(reads ? ["Classifier says"] : []), ...(matches ? ["Match distance"] : [])];
  for (const column of columns) head.append(element("th", column, { scope: "col" }));
  const body = made.createTBody();
  for (const version of VERSIONS) {
    const row = body.insertRow();
    const figures = face.modes[version.mode];
    row.dataset.mode = version.mode;
    row.append(element("th", version.name, { scope: "row" }));
    if (reads) row.append(reading(figures.probability, answer.words));
    if (matches) row.append(match(figures.distance, answer.same_person));
  }
  return made;
}

function reading(probability, words) {
  const word = words[probability >= 0.5 ? 1 : 0];
  return cell(word, percent(Math.max(probability, 1 - probability)));
}

function match(distance, limit) {
  return cell(distance.toFixed(2), distance < limit ? "same person" : "another person");
}

function cell(text, more) {
  const made = element("td", `${text} `);
  made.append(element("span", more));
  return made;
}

function percent(share) {
  return `${Math.round(100 * share)} %`;
}

function explanation(answer) {
  const first = answer.faces[0].modes.original;
  const said = [];
  if (first.probability !== undefined) {
    said.push("The classifier belongs to the model, which learnt to mislead it: it is no independent judge.");
  }
  if (first.distance !== undefined) {
    said.push(`The match distance is measured from the original; below ${answer.same_person.toFixed(2)} a matcher takes two faces for one person’s.`);
  }
  return said.join(" ");
}

function showVersion() {
  const version = VERSIONS[at("mode").value];
  const label = version.short ? `${version.name} (${version.short})` : version.name;
  at("mode").setAttribute("aria-valuetext", label);
  at("caption").textContent = version.about;
  [...at("stops").children].forEach((stop, place) => stop.classList.toggle("now", VERSIONS[place] === version));
  at("download").disabled = version.mode === "original";
  if (!state.answer) return;
  at("shown").src = state.answer.images[version.mode];
  at("shown").alt = `Your photo, version: ${label}`;
  for (const row of document.querySelectorAll("tbody tr")) {
    const now = row.dataset.mode === version.mode;
    row.classList.toggle("now", now);
    if (now) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

// The download is made anew, in the photo's full size.

async function download() {
  const { mode } = VERSIONS[at("mode").value];
  const format = state.file.type === "image/png" ? "png" : "jpeg";
  const query = new URLSearchParams({ mode, format, attribute: at("attribute").value });
  at("download").disabled = true;
  say("Making the full size…", "busy");
  try {
    const content = await (await post(`perturb?${query}`)).blob();
    const link = element("a", "", { href: URL.createObjectURL(content) });
    link.download = `${state.file.name.replace(/\.[^.]*$/, "")}-${mode}.${format === "png" ? "png" : "jpg"}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    say(`${link.download} is saved where your browser saves files.`);
  } catch (error) {
    say(error.message, "error");
  }
  at("download").disabled = VERSIONS[at("mode").value].mode === "original";
}

function take(file) {
  if (!file) return;
  state.file = file;
  tryPhoto();
}

VERSIONS.forEach((version, place) => {
  const stop = element("li", version.name);
  stop.append(element("small", version.short || "\u00a0"));
  stop.addEventListener("click", () => {
    at("mode").value = place;
    showVersion();
  });
  at("stops").append(stop);
});
at("file").addEventListener("change", () => take(at("file").files[0]));
at("file").addEventListener("click", () => { at("file").value = ""; }); // the same file again
at("attribute").addEventListener("change", tryPhoto);
at("key").addEventListener("change", tryPhoto);
at("mode").addEventListener("input", showVersion);
at("download").addEventListener("click", download);
at("show-boxes").addEventListener("change", () => {
  at("boxes").style.display = at("show-boxes").checked ? "" : "none";
});
for (const kind of ["dragover", "drop", "dragleave", "dragend"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault(); // a file dropped beside the field would replace the page
    at("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop") take(event.dataTransfer.files[0]);
  });
}
document.addEventListener("paste", (event) => take(event.clipboardData.files[0]));
showVersion();
about();
