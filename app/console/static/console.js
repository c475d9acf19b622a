"use strict";

// The pages work without this: it keeps them up to date, and saves clicks.

const body = document.body;

function keepUpToDate(address, take) {
  const connection = document.getElementById("connection");
  const show = (state, words) => {
    connection.hidden = false;
    connection.className = `connection ${state}`;
    connection.querySelector(".words").textContent = words;
  };
  const source = new EventSource(address);
  source.onopen = () => show("open", "live");
  source.onerror = () => {
    const closed = source.readyState === EventSource.CLOSED;
    show("broken", closed ? "not live: load the page again" : "connecting again");
  };
  source.onmessage = (event) => {
    const data = JSON.parse(event.data);
    if (data.left) {
      source.close();
      location.reload();
    } else {
      take(data);
    }
  };
  addEventListener("pagehide", () => source.close());
  return (words) => {
    source.close();
    show("broken", words);
  };
}

// What a reader has opened, and where the focus is, stays.
function replacePart({ id, html }) {
  const part = document.getElementById(id);
  if (!part) return;
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  const opened = [...part.querySelectorAll("details[open][id]")].map((each) => each.id);
  part.innerHTML = html;
  for (const each of opened) {
    const again = document.getElementById(each);
    if (again) again.open = true;
  }
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  const title = part.querySelector("[data-title]");
  if (title) document.title = document.title.replace(/^.* – /, `${title.dataset.title} – `);
}

if (body.dataset.live) keepUpToDate(body.dataset.live, replacePart);

document.querySelector("form[data-automatic] button")?.click();

// The log

const ROWS = 150; // so that a page that is open for days stays small

function showEvents({ id, html, rows, skipped, query }) {
  if (id) {
    replacePart({ id, html });
    return;
  }
  const events = document.getElementById("events");
  // Those before a gap would pass for the ones that came just before.
  if (skipped) events.replaceChildren();
  events.insertAdjacentHTML("afterbegin", rows);
  while (events.rows.length > ROWS) events.lastElementChild.remove();
  document.getElementById("nothing")?.remove();
  document.getElementById("skipped").hidden = !skipped;
  body.dataset.log = body.dataset.log.replace(/\?.*/, `?${query}`);
}

if (body.dataset.log) {
  const hold = document.getElementById("hold");
  let end = keepUpToDate(body.dataset.log, showEvents);
  hold.hidden = false;
  hold.addEventListener("click", () => {
    const holds = hold.getAttribute("aria-pressed") !== "true";
    hold.setAttribute("aria-pressed", holds);
    hold.textContent = holds ? "Go on" : "Hold";
    if (holds) end("held");
    else end = keepUpToDate(body.dataset.log, showEvents);
  });
}

// A stream

const version = document.getElementById("version");

function showVersion(wanted) {
  const number = Math.min(Math.max(wanted, Number(version.min)), Number(version.max));
  version.value = number;
  for (const step of document.querySelectorAll(".step")) {
    step.hidden = Number(step.dataset.version) !== number;
    if (!step.hidden) {
      const words = `${number} of ${version.max}: ${step.dataset.type}`;
      version.setAttribute("aria-valuetext", words);
    }
  }
  for (const each of document.querySelectorAll(".to-version")) {
    if (Number(each.dataset.version) === number) each.setAttribute("aria-current", "true");
    else each.removeAttribute("aria-current");
  }
  const address = new URL(location.href);
  address.searchParams.set("version", number);
  history.replaceState(null, "", address);
}

if (version) {
  const go = (event, number) => {
    event.preventDefault();
    showVersion(number);
  };
  version.addEventListener("input", () => showVersion(Number(version.value)));
  for (const [id, step] of [["earlier", -1], ["later", 1]]) {
    const link = document.getElementById(id);
    link.addEventListener("click", (event) => go(event, Number(version.value) + step));
  }
  for (const link of document.querySelectorAll(".to-version")) {
    link.addEventListener("click", (event) => {
      go(event, Number(link.dataset.version));
      version.scrollIntoView({ block: "center" });
      version.focus({ preventScroll: true });
    });
  }
  showVersion(Number(version.value));
}
