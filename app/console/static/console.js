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
